import type { GraphQLDataSource } from '@apollo/gateway';
import type { GraphQLFormattedError } from 'graphql';
import type { Caller } from '../../platform/calls/caller.js';
import type { Answer } from '../../platform/calls/exchange.js';
import type { Log } from '../../platform/log.js';
import type { GatewayContext } from '../context.js';
import { subgraphErrors, unavailable } from './subgraph-errors.js';

interface SubgraphAnswer {
  data?: Record<string, unknown> | null;
  errors?: GraphQLFormattedError[];
}

/**
 * Sends the fetches of query plans to one subgraph, with the caller's token and the request id. What a
 * subgraph says in GraphQL is passed on, whatever 4xx it comes with; a subgraph that gives no answer (see
 * Caller) before its time or that of the request is over, or no GraphQL, throws SERVICE_UNAVAILABLE, and the
 * log has the reason.
 */
export function subgraphDataSource(
  name: string,
  { caller, log }: { caller: Caller; log: Log },
): GraphQLDataSource<GatewayContext> {
  return {
    async process({ request, context }) {
      const { query = '', variables, operationName } = request;
      try {
        const answer = await caller.call({
          method: 'POST',
          headers: headersOf(context),
          body: JSON.stringify({ query, variables, operationName }),
          safe: isQuery(query),
          deadline: context['deadline'],
        });
        return graphqlAnswer(answer);
      } catch (error) {
        log.warn(
          { service: 'gateway', subgraph: name, requestId: context['requestId'], err: error },
          'fetch failed',
        );
        throw unavailable(name);
      }
    },
  };
}

/**
 * Whether the one operation of a fetch is a query, which can be repeated. The planner prints it first; nothing
 * but its text tells a data source what it is, since one of a mutation's plan may be either.
 */
export const isQuery = (text: string): boolean => /^(query\b|\{)/.test(text);

function headersOf({ requestId, authorization }: Partial<GatewayContext>): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/graphql-response+json, application/json',
  };
  if (requestId) headers['x-request-id'] = requestId;
  if (authorization) headers['authorization'] = authorization;
  return headers;
}

/** @throws Error where the text is no GraphQL response */
function graphqlAnswer({ status, text }: Answer): SubgraphAnswer {
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
