import type { Caller } from '../../platform/calls/caller.js';
import { CallError } from '../../platform/calls/error.js';
import type { Answer } from '../../platform/calls/http1/answer-reader.js';
import type { Log } from '../../platform/log.js';
import type { GatewayContext } from '../context.js';
import type { SubgraphAddress } from '../supergraph.js';
import { inSpan } from '../tracing.js';
import { deepest, isTextDeeper } from './depth.js';
import { isEntity } from './entity.js';
import type { Reads } from './reads.js';
import { type ReadAnswer, readAnswer, type SubgraphAnswer } from './subgraph-answer.js';
import { unavailable } from './subgraph-errors.js';

/** One fetch, as it is sent. */
export interface FetchRequest {
  /** The JSON of a GraphQL request. */
  body: string;
  /** Whether it only reads: then it may be sent again, given up, and shared. */
  isQuery: boolean;
  /** The name of the operation, for traces. */
  name?: string | undefined;
  /** How many entities it asks for by representations; undefined where it asks for none. */
  entities: number | undefined;
}

/** Sends fetches to one subgraph. */
export interface SubgraphSource {
  /**
   * Sends a fetch with the caller's token, the request id and its place in the trace. What the subgraph says in
   * GraphQL is passed on, whatever 4xx it comes with.
   * @throws SERVICE_UNAVAILABLE where no answer comes (see Caller) before the fetch's time or that of the request
   *   is over, or one that is no GraphQL; the log has the reason
   */
  fetch(request: FetchRequest, context: GatewayContext): Promise<SubgraphAnswer>;
}

/** `reads`, where given, lets equal reads that are under way be waited for instead of sent again. */
export function subgraphSource(
  subgraph: SubgraphAddress,
  { caller, log, reads }: { caller: Caller; log: Log; reads?: Reads | undefined },
): SubgraphSource {
  const { name } = subgraph;
  function send({ body, isQuery }: FetchRequest, context: GatewayContext): Promise<Answer> {
    const start = (cancellation: GatewayContext['cancellation']) =>
      caller.call({
        method: 'POST',
        headers: headersOf(context, isQuery),
        body,
        safe: isQuery,
        deadline: context.deadline,
        cancellation: isQuery ? cancellation : undefined,
      });
    if (!reads || (isQuery && context.isFresh)) return start(context.cancellation);
    if (isQuery) return reads.join(subgraph, body, context, start);
    reads.forget(context);
    return start(undefined).finally(() => reads.forget(context));
  }
  async function fetch(request: FetchRequest, context: GatewayContext): Promise<SubgraphAnswer> {
    try {
      const answer = graphqlAnswer(await send(request, context), request.entities);
      if (!answer.isBroken) return answer.given;
      log.warn({ service: 'gateway', subgraph: name, requestId: context.requestId }, 'errors are no errors');
      return { ...answer.given, errors: [...(answer.given.errors ?? []), unavailable(name).toJSON()] };
    } catch (error) {
      const outcome = error instanceof CallError ? error.outcome : undefined;
      // The breaker has said that the circuit is open: thousands of events may ask again and again until it is closed.
      const level = outcome === 'refused' ? 'debug' : 'warn';
      if (outcome !== 'cancelled') {
        log[level](
          { service: 'gateway', subgraph: name, requestId: context.requestId, err: error },
          'fetch failed',
        );
      }
      throw unavailable(name);
    }
  }
  return {
    fetch(request, context) {
      if (!context.tracing) return fetch(request, context);
      const attributes = {
        'graphql.subgraph.name': name,
        ...(request.name !== undefined && { 'graphql.operation.name': request.name }),
      };
      return inSpan(
        context,
        'gateway.fetch',
        () => attributes,
        (inner) => fetch(request, inner),
      );
    },
  };
}

function headersOf(
  { requestId, authorization, clientAddress, tracing, clientsTrace }: GatewayContext,
  isQuery: boolean,
): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/graphql-response+json, application/json',
    'x-request-id': requestId,
  };
  if (authorization) headers['authorization'] = authorization;
  // Wrong passwords are counted by it.
  const address = isQuery ? undefined : clientAddress?.();
  if (address !== undefined) headers['x-client-address'] = address;
  const traced = tracing?.headers() ?? clientsTrace;
  return traced ? Object.assign(headers, traced) : headers;
}

/** Larger answers are looked through before they are parsed. */
const large = 1024 * 1024;

/** @throws Error where the text is no GraphQL response, or has not the entities that were asked for */
function graphqlAnswer({ status, text }: Answer, entities: number | undefined): ReadAnswer {
  if (text.length > large && isTextDeeper(text, deepest))
    throw new Error(`it answered HTTP ${status} and JSON that is nested without end`);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`it answered HTTP ${status} and no JSON`);
  }
  const read = readAnswer(answer);
  if (!read) throw new Error(`it answered HTTP ${status} and no GraphQL`);
  const { data, errors } = read.given;
  if (entities === undefined || !data) return read;
  const { _entities: given } = data;
  if ((given === null || given === undefined) && errors) return { ...read, given: { data: null, errors } };
  if (!isListOfEntities(given, entities))
    throw new Error(`it was asked for ${entities} entities and did not answer with as many`);
  return read;
}

const isListOfEntities = (value: unknown, length: number): boolean =>
  Array.isArray(value) && value.length === length && value.every((item) => item === null || isEntity(item));
