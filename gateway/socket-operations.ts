import type { ApolloServer } from '@apollo/server';
import { type ExecutionArgs, type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { variableErrors } from '../platform/graphql/operation.js';
import type { Operations } from '../platform/sockets.js';
import { contextOf, type GatewayContext } from './context.js';
import { refuseNesting } from './guard/nesting.js';
import type { SubscriptionPlan, SubscriptionPlanner } from './live/plans.js';
import { runSubscription, type SubscriptionHost } from './live/subscription.js';

/** Closes a socket in a way after which clients come back: they resume from their last cursor. */
const tryAgainLater = 1013;

/** One operation of a socket, from `onSubscribe` to whatever runs it. */
interface SocketOperation {
  payload: SubscribePayload;
  context: GatewayContext;
  plan: SubscriptionPlan | null;
  closeSocket: (code: number, reason: string) => void;
}

/** How operations that come over WebSocket are run: subscriptions here, queries and mutations by Apollo Server. */
export function socketOperations(
  options: SubscriptionHost & {
    planner: SubscriptionPlanner;
    introspection: boolean;
    server: ApolloServer<GatewayContext>;
  },
): Operations {
  const { planner, server, graph, introspection } = options;
  return {
    onSubscribe({ extra }, _id, payload) {
      const refusal = refuseNesting(payload.variables);
      if (refusal) return [refusal];
      const prepared = planner(payload);
      if (!('operation' in prepared)) return prepared;
      const { document, plan } = prepared;
      const errors = variableErrors(graph.clientSchema, prepared.operation, payload.variables, {
        introspection,
      });
      if (errors.length > 0) return errors;
      const operation: SocketOperation = {
        payload,
        plan,
        context: contextOf(extra.principal ?? null, extra.authorization),
        closeSocket: (code, reason) => extra.socket.close(code, reason),
      };
      return {
        schema: graph.clientSchema,
        document,
        operationName: payload.operationName,
        variableValues: payload.variables,
        contextValue: operation,
      };
    },
    subscribe(args) {
      const { payload, plan, context, closeSocket } = operationOf(args);
      if (!plan) throw new Error('a query is not subscribed to');
      return runSubscription(options, {
        plan,
        context,
        query: payload.query,
        variables: payload.variables ?? {},
        onTooSlow: () => closeSocket(tryAgainLater, 'Try again later: events come faster than they are read'),
      });
    },
    async execute(args) {
      const { payload, context } = operationOf(args);
      const { body } = await server.executeOperation(requestOf(payload), { contextValue: context });
      // ApolloGateway has no @defer: an answer comes whole.
      const { data, errors, extensions } = body.kind === 'single' ? body.singleResult : body.initialResult;
      if (data === undefined) return refused(errors ?? []);
      return {
        data,
        ...(errors && { errors: errors.map(asGraphQLError) }),
        ...(extensions && { extensions }),
      };
    },
  };
}

const operationOf = (args: ExecutionArgs): SocketOperation => args.contextValue as SocketOperation;

const requestOf = ({ query, variables, operationName }: SubscribePayload) => ({
  query,
  ...(variables && { variables }),
  ...(operationName && { operationName }),
});

const asGraphQLError = ({ message, ...rest }: GraphQLFormattedError): GraphQLError =>
  new GraphQLError(message, rest);

/** What was refused before it ran is told by an `error` message, as the protocol has it: graphql-ws sends one for what a stream throws. */
async function* refused(errors: readonly GraphQLFormattedError[]): AsyncGenerator<ExecutionResult> {
  yield* [];
  throw new AggregateError(errors.map(asGraphQLError));
}
