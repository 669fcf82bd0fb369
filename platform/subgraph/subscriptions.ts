import {
  createSourceEventStream,
  type ExecutionArgs,
  execute,
  GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { Principal } from '../auth/principal.js';
import type { TokenVerifier } from '../auth/tokens.js';
import { readOperation, variableErrors } from '../graphql/operation.js';
import { mapEvents } from '../live/map.js';
import { metrics } from '../metrics.js';
import type { Operations, SocketContext } from '../sockets.js';

/**
 * How a subgraph runs what arrives over a WebSocket. The gateway carries many principals on one socket:
 * an operation's `extensions.authorization` counts before the socket's own.
 */
export function subgraphOperations(options: {
  service: string;
  schema: GraphQLSchema;
  verifier: TokenVerifier;
  context: (principal: Principal | null) => unknown;
}): Operations {
  const { service, schema, verifier, context } = options;

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
          contextValue: () => context(principal),
        };
      } catch (error) {
        return [
          error instanceof GraphQLError
            ? error
            : new GraphQLError('no context', { originalError: error as Error }),
        ];
      }
    },
    execute: (args) => execute({ ...args, contextValue: freshContext(args) }),
    async subscribe(args) {
      const events = await createSourceEventStream({ ...args, contextValue: freshContext(args) });
      if (!(Symbol.asyncIterator in events)) return events;
      metrics.subscriptions.inc({ service });
      // Like graphql's own mapping, but each event is executed with a context of its own.
      return mapEvents(events as AsyncIterableIterator<unknown>, {
        map: async (rootValue) => execute({ ...args, rootValue, contextValue: freshContext(args) }),
        onEnd: () => metrics.subscriptions.dec({ service }),
      });
    },
  };
}

const freshContext = (args: ExecutionArgs): unknown => (args.contextValue as () => unknown)();
