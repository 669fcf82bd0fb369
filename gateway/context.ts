import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../platform/auth/principal.js';
import type { Cancellation } from '../platform/calls/cancellation.js';
import { type ClientsTrace, clientsTrace, type Tracing } from './tracing.js';

/** What a request carries through the gateway to the subgraphs. All of them have all fields: that is what makes reading them quick. */
export interface GatewayContext {
  principal: Principal | null;
  /** The header as the client sent it; subgraphs get it and verify it again. */
  authorization: string | undefined;
  /** Names the request in the logs of the gateway and of every subgraph it reaches. */
  requestId: string;
  /** When, on the clock of performance.now(), the answer is to leave with what there is; Infinity for no such time. */
  deadline: number;
  /** Whether its reads have to begin after it did, and so wait for none that is under way. */
  isFresh: boolean;
  /** Tells that the client has gone away; undefined where somebody waits in any case. */
  cancellation: Cancellation | undefined;
  /** The client's network address, for mutations; undefined where that is not known. */
  clientAddress: (() => string | undefined) | undefined;
  /** Where spans belong; undefined where nobody traces. */
  tracing: Tracing | undefined;
  /** The client's own trace, passed on as it came where nobody traces here. */
  clientsTrace: ClientsTrace | undefined;
  /** What is run, for the log and for traces: whoever executes it puts it here. */
  operation: { kind: string; name: string | undefined } | undefined;
}

const clientsRequestId = /^[\w.-]{1,64}$/;

/** The context of somebody whose token is verified, or of nobody; without a deadline. */
export function contextOf(
  principal: Principal | null,
  authorization: string | undefined,
  requestId: string = randomUUID(),
): GatewayContext {
  return {
    principal,
    authorization: authorization || undefined,
    requestId,
    deadline: Number.POSITIVE_INFINITY,
    isFresh: false,
    cancellation: undefined,
    clientAddress: undefined,
    tracing: undefined,
    clientsTrace: undefined,
    operation: undefined,
  };
}

/**
 * The context of an HTTP request of somebody whose token is verified, to be answered until `deadline`. An
 * `x-request-id` of the client is kept when it looks like one. `tracing` is the span of the request, if there is one.
 */
export function requestContext(
  { headers }: FastifyRequest,
  principal: Principal | null,
  deadline: number,
  tracing?: Tracing,
): GatewayContext {
  const { authorization, 'x-request-id': id } = headers;
  const kept = typeof id === 'string' && clientsRequestId.test(id) ? id : undefined;
  const context = contextOf(principal, authorization, kept);
  context.deadline = deadline;
  context.tracing = tracing;
  if (!tracing) context.clientsTrace = clientsTrace(headers);
  return context;
}
