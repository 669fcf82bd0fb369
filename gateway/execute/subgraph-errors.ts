import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { problem } from '../../platform/errors.js';
import { deepest, isDeeper } from './depth.js';
import { isEntity } from './entity.js';

/** The error of a subgraph that did not answer, or with something that is no GraphQL. It names the service and no address. */
export const unavailable = (service: string): GraphQLError =>
  problem('SERVICE_UNAVAILABLE', `The ${service} service is unavailable.`, { service });

/** What a subgraph may add to its errors for its own developers, or for the HTTP answer that was its own. */
const internal = new Set(['stacktrace', 'exception', 'debug', 'http', 'response', 'serviceName']);

/** Of one answer, a subgraph's or ours; each may cost a line of the log. */
export const mostErrors = 10_000;

/**
 * The errors of a subgraph as a client may have them: message, path, code and the other extensions, without
 * what is internal. An error without a code was not meant for clients: it becomes INTERNAL_SERVER_ERROR,
 * whose message the error formatter hides.
 */
export function subgraphErrors(errors: readonly GraphQLFormattedError[]): GraphQLFormattedError[] {
  return errors.slice(0, mostErrors).map(({ message, path, extensions }) => {
    const given = isEntity(extensions) ? Object.entries(extensions) : [];
    const kept = Object.fromEntries(
      given.filter(([key, value]) => !internal.has(key) && !isDeeper(value, deepest)),
    );
    const code = typeof kept['code'] === 'string' ? kept['code'] : 'INTERNAL_SERVER_ERROR';
    return { message, ...(isPath(path) && { path }), extensions: { ...kept, code } };
  });
}

const isPath = (path: unknown): boolean =>
  Array.isArray(path) &&
  path.length <= deepest &&
  path.every((step) => typeof step === 'string' || typeof step === 'number');

/** What was thrown instead of an answer, as an error of the answer. An exception that is none of GraphQL's is a fault of ours. */
export const failureOf = (error: unknown): GraphQLFormattedError =>
  (error instanceof GraphQLError
    ? error
    : new GraphQLError('a fetch failed', { originalError: error as Error })
  ).toJSON();
