import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { Principal } from '../auth/principal.js';
import { type Rights, rightsChanged } from '../auth/rights.js';
import type { TokenVerifier } from '../auth/tokens.js';
import type { Executor } from '../config.js';
import { compileOperation, type ExecuteOperation } from '../graphql/compiled/operation.js';
import { readOperation, variableErrors } from '../graphql/operation.js';
import { committedAt } from '../live/commit-time.js';
import { mapEvents } from '../live/map.js';
import { metrics } from '../metrics.js';
import type { Operations, SocketContext } from '../sockets.js';
import type { ClientAddress } from './define.js';

/**
 * How a subgraph runs what arrives over a WebSocket. The gateway carries many principals on one socket:
 * an operation's `extensions.authorization` counts before the socket's own.
 */
export function subgraphOperations(options: {
  executor: Executor;
  service: string;
  schema: GraphQLSchema;
  verifier: TokenVerifier;
  context: (principal: Principal | null, clientAddress: ClientAddress) => unknown;
  rights: Rights;
}): Operations {
  const { executor, service, schema, verifier, context, rights } = options;

  async function principalOf(socket: SocketContext, payload: SubscribePayload): Promise<Principal | null> {
    const own = payload.extensions?.['authorization'];
    return typeof own === 'string' ? verifier.verify(own) : (socket.extra.principal ?? null);
  }

  return {
    async onSubscribe(socket, _id, payload) {
      const read = readOperation(schema, payload);
      if (!('operation' in read)) return read;
      const errors = variableErrors(schema, read.operation, payload.variables);
      if (errors.length > 0) return errors;
      try {
        const principal = await principalOf(socket, payload);
        return {
          schema,
          document: read.document,
          operationName: payload.operationName ?? null,
          variableValues: payload.variables ?? {},
          contextValue: {
            principal,
            // The gateway sends mutations by HTTP: what comes over its socket is of many clients.
            fresh: () => context(principal, () => undefined),
          } satisfies Asked,
        };
      } catch (error) {
        return [
          error instanceof GraphQLError
            ? error
            : new GraphQLError('no context', { originalError: error as Error }),
        ];
      }
    },
    execute: async (args) =>
      executable(executor, args)({ contextValue: freshContext(args), variables: args.variableValues }),
    async subscribe(args) {
      const events = await createSourceEventStream({ ...args, contextValue: freshContext(args) });
      if (!(Symbol.asyncIterator in events)) return events;
      metrics.subscriptions.inc({ service });
      const executeEvent = executable(executor, args);
      // Like graphql's own mapping, but each event is executed with a context of its own.
      let stopWatching = () => {};
      const mapped = mapEvents(events as AsyncIterableIterator<unknown>, {
        map: async (rootValue) => {
          const variables = args.variableValues;
          const result = await executeEvent({ rootValue, contextValue: freshContext(args), variables });
          return withCommitTime(result, rootValue);
        },
        onEnd() {
          metrics.subscriptions.dec({ service });
          stopWatching();
        },
      });
      const { principal } = args.contextValue as Asked;
      // The right to see it ends with what its subscriber may do.
      if (principal) stopWatching = rights.whenOver(principal, () => mapped.fail(rightsChanged()));
      return mapped;
    },
  };
}

/** Who asks for an operation, and what makes a context for each part of it. */
interface Asked {
  principal: Principal | null;
  fresh: () => unknown;
}

/** The stock way has no part in sockets but graphql's own execution. */
function executable(executor: Executor, args: ExecutionArgs): ExecuteOperation {
  const { schema, document, operationName } = args;
  const operation = getOperationAST(document, operationName);
  if (executor === 'doorstep' && operation) return compileOperation(schema, document, operation);
  return ({ variables: variableValues, ...given }) => execute({ ...args, ...given, variableValues });
}

/** Tells whoever asked how old a change is that has just happened: `extensions.committedAt`, in ms since 1970. */
function withCommitTime(result: ExecutionResult, event: unknown): ExecutionResult {
  const at = committedAt(event);
  return at === undefined ? result : { ...result, extensions: { ...result.extensions, committedAt: at } };
}

const freshContext = (args: ExecutionArgs): unknown => (args.contextValue as Asked).fresh();
