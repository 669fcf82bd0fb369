import { executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import { problem } from '../../platform/errors.js';
import { createChannel } from '../../platform/live/channel.js';
import { mapEvents } from '../../platform/live/map.js';
import type { Log } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import { subgraphErrors } from '../execute/subgraph-errors.js';
import { withoutValueCompletion } from '../execute/value-completion.js';
import type { LoadedSupergraph } from '../supergraph.js';
import { eventSource, type SubscriptionPlan } from './plans.js';
import type { Upstreams } from './upstream.js';

/** So many events may wait for a client that is slower than they come. */
const mostWaiting = 1_000;

export interface SubscriptionHost {
  graph: LoadedSupergraph;
  upstreams: Upstreams;
  dataSources: ReadonlyMap<string, GraphQLDataSource<GatewayContext>>;
  log: Log;
  /** How long an event may take, in ms; as long as its fetches take unless told. */
  answerWithinMs?: number;
}

export interface SubscriptionRequest {
  plan: SubscriptionPlan;
  query: string;
  variables: Record<string, unknown>;
  context: GatewayContext;
  /** The client reads too slowly: what waited for it is forgotten, and the subscription is over. */
  onTooSlow: () => void;
}

/**
 * Runs a subscription on the subgraph that owns its field, and completes each of its events from the others,
 * in order, with fresh data. Reading throws what the upstream ended with; `return` releases the upstream at
 * once, also while a read waits for an event.
 */
export function runSubscription(
  host: SubscriptionHost,
  request: SubscriptionRequest,
): AsyncIterableIterator<ExecutionResult> {
  let release = () => {};
  const events = createChannel<ExecutionResult>({
    limit: mostWaiting,
    onClose: () => release(),
    overflow() {
      request.onTooSlow();
      return problem(
        'SERVICE_UNAVAILABLE',
        'Events come faster than they are read; come back with your last cursor.',
      );
    },
  });
  metrics.subscriptions.inc({ service: 'gateway' });
  release = host.upstreams.open(request.plan.primary.serviceName, primaryPayload(request), events);
  return mapEvents(events, {
    map: (event) => completeEvent(host, request, event),
    onEnd: () => metrics.subscriptions.dec({ service: 'gateway' }),
  });
}

/** What the subgraph gets: its own operation, the variables of it, and the caller's token, since the socket is everybody's. */
function primaryPayload({
  plan: { primary },
  variables,
  context: { authorization, requestId },
}: SubscriptionRequest) {
  const used = (primary.variableUsages ?? []).filter((name) => variables[name] !== undefined);
  return {
    query: primary.operation,
    variables: Object.fromEntries(used.map((name) => [name, variables[name]])),
    extensions: { ...(authorization && { authorization }), requestId },
    ...(primary.operationName && { operationName: primary.operationName }),
  };
}

async function completeEvent(
  { graph, dataSources, log, answerWithinMs = Number.POSITIVE_INFINITY }: SubscriptionHost,
  { plan, variables, query, ...subscription }: SubscriptionRequest,
  event: ExecutionResult,
): Promise<ExecutionResult> {
  const fromEvent: GraphQLDataSource = {
    process: async () => ({
      data: event.data ?? null,
      ...(event.errors && { errors: subgraphErrors(event.errors as readonly GraphQLFormattedError[]) }),
    }),
  };
  const context = { ...subscription.context, deadline: performance.now() + answerWithinMs };
  // The executor reads no more of a request than this.
  const request = { request: { query, variables }, context, metrics: {}, logger: log };
  const result = await executeQueryPlan(
    plan.eachEvent,
    { ...Object.fromEntries(dataSources), [eventSource]: fromEvent },
    request as unknown as Parameters<typeof executeQueryPlan>[2],
    plan.operationContext,
    graph.supergraphSchema,
    graph.apiSchema,
  );
  return withoutValueCompletion(result, log);
}
