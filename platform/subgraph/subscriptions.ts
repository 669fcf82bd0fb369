import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { Principal } from '../auth/principal.js';
import type { TokenVerifier } from '../auth/tokens.js';
import { problem } from '../errors.js';
import { readDocument } from '../graphql/operation.js';
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
      const document = readDocument(schema, payload.query);
      if (!('kind' in document)) return document;
      const errors = requestErrors(schema, document, payload);
      if (errors.length > 0) return errors;
      try {
        const principal = await principalOf(socket, payload);
        return {
          schema,
          document,
          operationName: payload.operationName ?? null,
          variableValues: payload.variables ?? {},
          contextValue: () => context(principal),
        };
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        throw error;
      }
    },
    execute: (args) => execute({ ...args, contextValue: freshContext(args) }),
    async subscribe(args) {
      const events = await createSourceEventStream({ ...args, contextValue: freshContext(args) });
      if (!(Symbol.asyncIterator in events)) return events;
      metrics.subscriptions.inc({ service });
      return mapEvents(events as AsyncIterableIterator<unknown>, {
        map: async (rootValue) => execute({ ...args, rootValue, contextValue: freshContext(args) }),
        onEnd: () => metrics.subscriptions.dec({ service }),
      });
    },
  };
}

/** What graphql-js would find out itself, but tell without a code: an operation that is not there, wrong variables. */
function requestErrors(schema: GraphQLSchema, document: DocumentNode, payload: SubscribePayload): readonly GraphQLError[] {
  const operation = getOperationAST(document, payload.operationName);
  if (!operation) return [problem('GRAPHQL_VALIDATION_FAILED', 'The document has no such operation; say which by operationName.')];
  const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], payload.variables ?? {}, { maxErrors: 10 });
  return errors.map(({ message }) => problem('BAD_USER_INPUT', message));
}

const freshContext = (args: ExecutionArgs): unknown => (args.contextValue as () => unknown)();

/** Like graphql's own mapping of a source stream, but each event is executed with a context of its own. */
function mapEvents(
  events: AsyncIterableIterator<unknown>,
  options: { map: (event: unknown) => Promise<ExecutionResult>; onEnd: () => void },
): AsyncIterableIterator<ExecutionResult> {
  let over = false;
  const end = () => {
    if (!over) options.onEnd();
    over = true;
  };
  const done = { done: true, value: undefined } as const;
  const mapped: AsyncIterableIterator<ExecutionResult> = {
    async next() {
      try {
        const { done: last, value } = await events.next();
        if (!last) return { done: false, value: await options.map(value) };
      } catch (error) {
        end();
        await events.return?.();
        throw error;
      }
      end();
      return done;
    },
    async return() {
      end();
      await events.return?.();
      return done;
    },
    async throw(error: unknown) {
      end();
      await events.return?.();
      throw error;
    },
    [Symbol.asyncIterator]: () => mapped,
  };
  return mapped;
}
