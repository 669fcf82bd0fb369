import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import { problem } from '../../platform/errors.js';
import { createChannel } from '../../platform/live/channel.js';
import { mapEvents } from '../../platform/live/map.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import type { LiveOperation } from '../execute/engine.js';
import type { Entity } from '../execute/entity.js';
import { subgraphErrors } from '../execute/subgraph-errors.js';
import { asTrace } from '../tracing.js';
import type { Upstream } from './upstream.js';

/** So many events may wait for a client that is slower than they come. */
const mostWaiting = 1_000;

export interface SubscriptionRequest {
  live: LiveOperation;
  /** The socket to the subgraph that owns its field. */
  upstream: Upstream;
  variables: Record<string, unknown>;
  context: GatewayContext;
  /** How long an event may take, in ms; as long as its fetches take unless told. */
  answerWithinMs?: number;
  /** The client reads too slowly: what waited for it is forgotten, and the subscription is over. */
  onTooSlow: () => void;
  /** It is over, however it ended. */
  onEnd: () => void;
}

/**
 * Runs a subscription on the subgraph that owns its field, and completes each of its events from the others,
 * in order, with fresh data. Reading throws what the upstream ended with; `return` releases the upstream at
 * once, also while a read waits for an event.
 */
export function runSubscription(request: SubscriptionRequest): AsyncIterableIterator<ExecutionResult> {
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
  release = request.upstream.open(primaryPayload(request), events);
  metrics.subscriptions.inc({ service: 'gateway' });
  return mapEvents(events, {
    map: (event) => completeEvent(request, event),
    onEnd() {
      metrics.subscriptions.dec({ service: 'gateway' });
      request.onEnd();
    },
  });
}

/** What the subgraph gets: its own operation, the variables of it, and the caller's token, since the socket is everybody's. */
function primaryPayload({
  live: { primary },
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
  { live, variables, context, answerWithinMs = Number.POSITIVE_INFINITY }: SubscriptionRequest,
  { data = null, errors = [] }: ExecutionResult,
): Promise<ExecutionResult> {
  const event = {
    data: data as Entity | null,
    errors: subgraphErrors(errors as readonly GraphQLFormattedError[]),
  };
  const deadline = performance.now() + answerWithinMs;
  // A read that began before the event may have seen what was before it. The socket formats errors, which may be
  // plain objects there.
  const completed = asTrace({ ...context, deadline, isFresh: true }, 'gateway.event', (inner) =>
    live.complete(event, variables, inner),
  );
  return (await completed) as ExecutionResult;
}
