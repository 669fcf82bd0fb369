import {
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  OperationTypeNode,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { Cancellation } from '../platform/calls/cancellation.js';
import { type ClientAddress, networkOf } from '../platform/client-address.js';
import { createChannel } from '../platform/live/channel.js';
import type { Log } from '../platform/log.js';
import { failing, type Operations } from '../platform/sockets.js';
import { contextOf, type GatewayContext } from './context.js';
import type { Graph } from './graph.js';
import { refuseNesting } from './guard/nesting.js';
import { type RateLimit, tooOften } from './guard/rate-limit.js';
import { untrusted } from './guard/trusted-documents.js';
import type { Trusted } from './http/persisted.js';
import type { LiveHub } from './live/streams.js';
import { describeRequest } from './request-line.js';
import { asTrace } from './tracing.js';

/** One operation of a socket, from `onSubscribe` to whatever runs it. */
interface SocketOperation {
  payload: SubscribePayload;
  context: GatewayContext;
  /** The supergraph that it was read by; a query runs on it to its end. */
  graph: Graph;
  /** Gives what sends its events. */
  sender: () => (text: string) => void;
}

/** How operations that come over WebSocket are run, each on the supergraph that is served when it comes. */
export function socketOperations(options: {
  log: Log;
  graph: () => Graph;
  /** How long an answer may take, in ms. */
  answerWithinMs: number;
  hub: LiveHub;
  rate: RateLimit;
  trusted?: Trusted | undefined;
  clientAddress: ClientAddress;
}): Operations {
  const { log, answerWithinMs, hub, rate, trusted, clientAddress } = options;
  /** An operation that is answered, a subscription when it begins. */
  function logOperation(context: GatewayContext, errors: readonly unknown[] = []): void {
    if (!log.isLevelEnabled('debug')) return;
    const line = { service: 'gateway', route: 'websocket' };
    describeRequest(line, context, errors.length);
    log.debug(line, 'request');
  }
  /** @throws AggregateError where it was refused before it ran: that is told by an `error` message, as the protocol has it */
  async function answer(
    { payload, graph, context }: SocketOperation,
    cancellation: Cancellation,
  ): Promise<ExecutionResult> {
    const { query, operationName, variables } = payload;
    graph.enter();
    try {
      const request = { query, operationName, variables: variables ?? {}, method: 'POST' } as const;
      const limited = { ...context, cancellation, deadline: performance.now() + answerWithinMs };
      const { data, errors } = await asTrace(limited, 'gateway.request', (inner) =>
        graph.engine.execute(request, inner),
      );
      logOperation(context, errors);
      if (data === undefined) throw new AggregateError((errors ?? []).map(asGraphQLError));
      return { data, ...(errors && { errors: errors.map(asGraphQLError) }) };
    } finally {
      graph.leave();
    }
  }

  return {
    async onSubscribe({ extra }, id, payload) {
      const refusal = refuseNesting(payload.variables);
      if (refusal) return [refusal];
      const principal = extra.principal ?? null;
      const seconds = await rate.take(principal ? principal.userId : networkOf(clientAddress(extra.request)));
      if (seconds > 0) return [tooOften(seconds)];
      if (trusted?.only && !trusted.documents.has(payload.query)) return [untrusted()];
      const graph = options.graph();
      const operation = graph.engine.read(payload, principal);
      if (!('document' in operation)) return operation;
      const errors = operation.variableErrors(payload.variables ?? {});
      if (errors.length > 0) return errors;
      const { kind, name } = operation;
      const contextValue: SocketOperation = {
        payload,
        graph,
        context: {
          ...contextOf(principal, extra.authorization),
          operation: { kind, name },
          clientAddress: () => clientAddress(extra.request),
        },
        sender: () => extra.sender(id),
      };
      return {
        schema: graph.supergraph.clientSchema,
        document: operation.document,
        operationName: payload.operationName,
        variableValues: payload.variables,
        contextValue,
      };
    },
    /** Events pass graphql-ws by: they are JSON already, the same text for many. It gets to know when they are over. */
    subscribe(args) {
      const { payload, context, sender } = operationOf(args);
      const { query, operationName, variables } = payload;
      const request = { query, operationName, variables: variables ?? {}, context };
      let leave = () => {};
      const untilOver = createChannel<ExecutionResult>({
        limit: 0,
        onClose: () => leave(),
        overflow: () => new Error('events are not sent by graphql-ws'),
      });
      leave = hub.subscribe(request, {
        next: sender(),
        end: (errors) => untilOver.end(errors && new AggregateError(errors.map(asGraphQLError))),
      });
      logOperation(context);
      return untilOver;
    },
    /**
     * A query is a stream of one answer: graphql-ws ends streams when their reader goes away, and so the fetches end
     * with it. A mutation, which nothing ends, keeps its place among the socket's operations until it is over.
     */
    execute(args) {
      const operation = operationOf(args);
      const cancellation = new Cancellation();
      const answered = answer(operation, cancellation);
      if (operation.context.operation?.kind === OperationTypeNode.MUTATION) return answered.catch(failing);
      const answers = createChannel<ExecutionResult>({
        limit: 1,
        onClose: () => cancellation.cancel(),
        overflow: () => new Error('an operation has one answer'),
      });
      answered.then(
        (result) => {
          answers.push(result);
          answers.end();
        },
        (error) => answers.end(error),
      );
      return answers;
    },
  };
}

const operationOf = (args: ExecutionArgs): SocketOperation => args.contextValue as SocketOperation;

const asGraphQLError = ({ message, ...rest }: GraphQLFormattedError): GraphQLError =>
  new GraphQLError(message, rest);
