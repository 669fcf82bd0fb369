import type { GraphQLDataSource } from '@apollo/gateway';
import type { GraphQLFormattedError } from 'graphql';
import { Agent } from 'undici';
import type { Log } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import type { SubgraphAddress } from '../supergraph.js';
import { watchHanging } from './hanging.js';
import { subgraphErrors, unavailable } from './subgraph-errors.js';

const connectionsPerSubgraph = 64;
/** So many fetches of a subgraph may be under way, those that wait for a connection included. */
const mostFetches = 1_024;
const responseLimit = 64 * 1024 * 1024;

/** The connections to all subgraphs: kept alive, and so many to each. Closed by whoever made it. */
export const subgraphConnections = (): Agent =>
  new Agent({
    connections: connectionsPerSubgraph,
    keepAliveTimeout: 30_000,
    connect: { timeout: 5_000 },
    maxResponseSize: responseLimit,
  });

interface SubgraphAnswer {
  data?: Record<string, unknown> | null;
  errors?: GraphQLFormattedError[];
}

/**
 * Sends the fetches of query plans to one subgraph, with the caller's token and the request id. What a
 * subgraph says in GraphQL is passed on, whatever 4xx it comes with; a subgraph that is down, slower than
 * `timeoutMs` in all or than the request's deadline, answers 5xx or no GraphQL throws SERVICE_UNAVAILABLE, and
 * the log has the reason. So does, at once, one that hangs while `isMissing`, or has too many fetches waiting.
 */
export function subgraphDataSource(
  { name, url }: SubgraphAddress,
  options: { connections: Agent; timeoutMs: number; isMissing: () => boolean; log: Log },
): GraphQLDataSource<GatewayContext> {
  const { origin, pathname, search } = new URL(url);
  const hanging = watchHanging(options.isMissing);
  let underWay = 0;

  async function send(body: string, context: Partial<GatewayContext>, signal: AbortSignal) {
    const response = await options.connections.request({
      origin,
      path: pathname + search,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...(context.requestId && { 'x-request-id': context.requestId }),
        ...(context.authorization && { authorization: context.authorization }),
      },
      body,
      signal,
    });
    const text = await response.body.text();
    if (response.statusCode >= 500) throw new Error(`it answered HTTP ${response.statusCode}`);
    return graphqlAnswer(text, response.statusCode);
  }

  async function fetchAnswer(body: string, context: Partial<GatewayContext>): Promise<SubgraphAnswer> {
    if (underWay >= mostFetches) throw new Error(`${underWay} fetches of it are under way already`);
    const left = Math.min(
      options.timeoutMs,
      (context.deadline ?? Number.POSITIVE_INFINITY) - performance.now(),
    );
    if (left <= 0) throw new Error('the request has no time left for it');
    if (hanging.refuses()) throw new Error('its last fetch timed out, and it is not ready yet');
    // One limit for all of it: waiting for a connection, for the first byte and for the last.
    const signal = AbortSignal.timeout(Math.ceil(left));
    const leave = () => {
      underWay--;
    };
    underWay++;
    const answer = send(body, context, signal);
    // It takes its place until undici is done with it, which may be later than its time is over.
    answer.then(leave, leave);
    try {
      const given = await untilAborted(answer, signal);
      hanging.answered();
      return given;
    } catch (error) {
      hanging.failed(error);
      throw error;
    }
  }

  return {
    async process({ request, context }) {
      const { query, variables, operationName } = request;
      const observe = metrics.subgraphFetches.startTimer({ subgraph: name });
      try {
        const answer = await fetchAnswer(JSON.stringify({ query, variables, operationName }), context);
        observe({ outcome: 'ok' });
        return answer;
      } catch (error) {
        observe({ outcome: 'error' });
        options.log.warn(
          { service: 'gateway', subgraph: name, requestId: context['requestId'], err: error },
          'fetch failed',
        );
        throw unavailable(name);
      }
    },
  };
}

/** The promise, or the signal's reason where that comes first: undici looks at a signal only once it has a connection. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** @throws Error where the text is no GraphQL response */
function graphqlAnswer(text: string, status: number): SubgraphAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`it answered HTTP ${status} and no JSON`);
  }
  if (!isRecord(answer)) throw new Error(`it answered HTTP ${status} and no GraphQL`);
  const { data, errors } = answer;
  const hasErrors = Array.isArray(errors) && errors.length > 0 && errors.every(isError);
  if (data !== null && !isRecord(data) && !(data === undefined && hasErrors)) {
    throw new Error(`it answered HTTP ${status} and no GraphQL`);
  }
  return { ...(data !== undefined && { data }), ...(hasErrors && { errors: subgraphErrors(errors) }) };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isError = (value: unknown): value is GraphQLFormattedError =>
  isRecord(value) && typeof value['message'] === 'string';
