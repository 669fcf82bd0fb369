import type { GraphQLDataSource } from '@apollo/gateway';
import type { GraphQLFormattedError } from 'graphql';
import { Agent } from 'undici';
import type { Log } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { GatewayContext } from '../context.js';
import type { SubgraphAddress } from '../supergraph.js';
import { subgraphErrors, unavailable } from './subgraph-errors.js';

const connectionsPerSubgraph = 64;
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
 * `timeoutMs` in all, answers 5xx or no GraphQL throws SERVICE_UNAVAILABLE, and the log has the reason.
 */
export function subgraphDataSource(
  { name, url }: SubgraphAddress,
  options: { connections: Agent; timeoutMs: number; log: Log },
): GraphQLDataSource<GatewayContext> {
  const { origin, pathname, search } = new URL(url);

  async function fetchAnswer(body: string, context: Partial<GatewayContext>): Promise<SubgraphAnswer> {
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
      // One limit for all of it: waiting for a connection, for the first byte and for the last.
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    const text = await response.body.text();
    if (response.statusCode >= 500) throw new Error(`it answered HTTP ${response.statusCode}`);
    return graphqlAnswer(text, response.statusCode);
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
