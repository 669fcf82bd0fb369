import type { GraphQLFormattedError } from 'graphql';
import { problem } from '../../platform/errors.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import type { Engine, OperationRequest } from '../execute/engine.js';
import { requestKey } from '../execute/request-key.js';
import type { Graph } from '../graph.js';
import type { FeedSettings, FeedSource } from './feed.js';
import { livePlanOf } from './plan.js';
import { type Member, Stream, type Streams, type Subscriber, whoIs } from './stream.js';

export interface LiveRequest extends OperationRequest {
  variables: Readonly<Record<string, unknown>>;
  context: GatewayContext;
  /** The cursor to resume from, in place of that in the operation; of no account where it cannot be resumed. */
  after?: string | undefined;
}

/** All subscriptions of the gateway. */
export interface LiveHub {
  /**
   * Begins a subscription by the supergraph that is served. The answer ends it, and frees all that only it needed;
   * nothing comes after that.
   */
  subscribe(request: LiveRequest, subscriber: Subscriber): () => void;
  /** Goes on by the supergraph that is served now: what it still has, where it was; what it has not ends with a reason. */
  renew(): void;
}

export function createLiveHub(options: { graph: () => Graph; settings: FeedSettings }): LiveHub {
  const { graph, settings } = options;
  const byKey = new Map<string, Stream>();
  const all = new Set<Stream>();

  const streams: Streams = {
    settings,
    forget(stream) {
      all.delete(stream);
      if (byKey.get(stream.key) === stream) byKey.delete(stream.key);
    },
    place(member) {
      const key = keyOf(member);
      if (byKey.get(key)?.admit(member)) return;
      const stream = new Stream(key, streams, member);
      byKey.set(key, stream);
      all.add(stream);
    },
    end(member, errors) {
      member.stream = undefined;
      metrics.subscriptions.dec({ service: 'gateway' });
      member.subscriber.end(errors);
    },
  };

  return {
    subscribe({ query, operationName, variables, context, after }, subscriber) {
      const request = { query, operationName };
      const source = sourceOf({ request, variables, context }, graph());
      if (!('plan' in source)) {
        subscriber.end(source);
        return () => undefined;
      }
      const { plan } = source;
      const last = (plan.isResumable ? after : undefined) ?? plan.resumesFrom(variables);
      if (last !== undefined) metrics.resumes.inc();
      metrics.subscriptions.inc({ service: 'gateway' });
      const member: Member = {
        request,
        variables,
        context,
        subscriber,
        source,
        stream: undefined,
        last,
        own: undefined,
        isProbing: false,
        mayJoin: false,
      };
      streams.place(member);
      return () => {
        if (!member.stream) return;
        metrics.subscriptions.dec({ service: 'gateway' });
        member.stream.leave(member);
      };
    },
    renew() {
      const next = graph();
      const read = readOnce(next.engine);
      for (const stream of [...all]) {
        stream.renew((member) => {
          const source = sourceOf(member, next, read);
          return 'plan' in source ? source : changed(source);
        });
      }
    },
  };
}

/**
 * A courier may see an order for as long as it brings it. Its own subscription ends when the subgraph says so; one that
 * runs on somebody else's token would go on.
 */
const seesForNow = (principal: GatewayContext['principal']): boolean => principal?.role === 'COURIER';

/** Those with one key get the same events. */
function keyOf({ source: { plan }, variables, context }: Member): string {
  const isShared = plan.isShared && !seesForNow(context.principal);
  const who = isShared ? '' : whoIs(context);
  return [who, plan.identity, plan.variablesText(variables)].join('\n');
}

/** How a supergraph serves a subscription, or why it does not. */
function sourceOf(
  { request, variables, context }: Pick<Member, 'request' | 'variables' | 'context'>,
  graph: Graph,
  read: Engine['read'] = graph.engine.read,
): FeedSource | readonly GraphQLFormattedError[] {
  const operation = read(request, context.principal);
  if (!('document' in operation)) return operation.map((error) => error.toJSON());
  const errors = operation.variableErrors(variables);
  if (errors.length > 0) return errors.map((error) => error.toJSON());
  const { live } = operation;
  const plan = live && livePlanOf({ ...operation, live }, request, graph.supergraph);
  const connection = plan && graph.connections.get(plan.subgraph);
  if (!connection) throw new Error('this cannot be subscribed to');
  return {
    live,
    plan,
    upstream: connection.upstream,
    hold() {
      graph.enter();
      return graph.leave;
    },
  };
}

/** Reads each operation once, where many ask for it: an engine does not keep what it has refused. */
function readOnce(engine: Engine): Engine['read'] {
  const known = new Map<string, ReturnType<Engine['read']>>();
  return (request, principal) => {
    const key = [principal?.role, principal?.scopes?.join(' '), requestKey(request)].join('\n');
    const read = known.get(key) ?? engine.read(request, principal);
    known.set(key, read);
    return read;
  };
}

const changed = (errors: readonly { message: string }[]): readonly GraphQLFormattedError[] => [
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    [
      'The schema has changed, and this subscription does not fit it any more.',
      ...errors.map(({ message }) => message),
    ].join(' '),
  ).toJSON(),
];
