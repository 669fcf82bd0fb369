import { executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import type { Log } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import { subgraphErrors } from '../execute/subgraph-errors.js';
import { withoutValueCompletion } from '../execute/value-completion.js';
import type { LoadedSupergraph } from '../supergraph.js';
import { eventSource, type SubscriptionPlan } from './plans.js';
import { eventQueue } from './queue.js';
import type { Upstreams } from './upstream.js';

/** So many events may wait for a client that is slower than they come. */
const mostWaiting = 1_000;

export interface SubscriptionHost {
  graph: LoadedSupergraph;
  upstreams: Upstreams;
  dataSources: ReadonlyMap<string, GraphQLDataSource<GatewayContext>>;
  log: Log;
}

export interface SubscriptionRequest {
  plan: SubscriptionPlan;
  query: string;
  variables: Record<string, unknown>;
  context: GatewayContext;
  /** The client reads too slowly: what waited for it is forgotten, and the subscription is over. */
  onTooSlow: () => void;
}

type Events = AsyncIterableIterator<ExecutionResult, undefined> & {
  return(): Promise<IteratorResult<ExecutionResult, undefined>>;
};

/**
 * Runs a subscription on the subgraph that owns its field, and completes each of its events from the others,
 * in order, with fresh data. Reading throws what the upstream ended with; `return` releases the upstream at
 * once, also while a read waits for an event.
 */
export function runSubscription(host: SubscriptionHost, request: SubscriptionRequest): Events {
  const { plan, variables, context, query } = request;
  const queue = eventQueue<ExecutionResult>(mostWaiting, () => {
    stop();
    request.onTooSlow();
  });
  metrics.subscriptions.inc({ service: 'gateway' });
  let running = true;
  const payload = primaryPayload(plan, variables, context);
  const release = host.upstreams.open(plan.primary.serviceName, payload, queue);

  function stop(): void {
    if (!running) return;
    running = false;
    metrics.subscriptions.dec({ service: 'gateway' });
    release();
    queue.close();
  }

  return {
    async next() {
      try {
        const event = await queue.next();
        if (!event.done) {
          const value = await completeEvent(host, { plan, variables, context, query }, event.value);
          if (running) return { done: false, value };
        }
        stop();
        return { done: true, value: undefined };
      } catch (error) {
        stop();
        throw error;
      }
    },
    async return() {
      stop();
      return { done: true, value: undefined };
    },
    async throw(error) {
      stop();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** What the subgraph gets: its own operation, the variables of it, and the caller's token, since the socket is everybody's. */
function primaryPayload(
  { primary }: SubscriptionPlan,
  variables: Record<string, unknown>,
  context: GatewayContext,
) {
  const used = (primary.variableUsages ?? []).filter((name) => variables[name] !== undefined);
  const { authorization, requestId } = context;
  return {
    query: primary.operation,
    variables: Object.fromEntries(used.map((name) => [name, variables[name]])),
    extensions: { ...(authorization && { authorization }), requestId },
    ...(primary.operationName && { operationName: primary.operationName }),
  };
}

async function completeEvent(
  { graph, dataSources, log }: SubscriptionHost,
  { plan, variables, context, query }: Omit<SubscriptionRequest, 'onTooSlow'>,
  event: ExecutionResult,
): Promise<ExecutionResult> {
  const fromEvent: GraphQLDataSource = {
    process: async () => ({
      data: event.data ?? null,
      ...(event.errors && { errors: subgraphErrors(event.errors as readonly GraphQLFormattedError[]) }),
    }),
  };
  // The executor reads no more of a request than this.
  const request = {
    request: { query, variables },
    context,
    metrics: {},
    logger: log,
  } as unknown as Parameters<typeof executeQueryPlan>[2];
  const result = await executeQueryPlan(
    plan.eachEvent,
    { ...Object.fromEntries(dataSources), [eventSource]: fromEvent },
    request,
    plan.operationContext,
    graph.supergraphSchema,
    graph.apiSchema,
  );
  return withoutValueCompletion(result, log);
}
