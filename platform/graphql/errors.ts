import { randomUUID } from 'node:crypto';
import { unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Log } from '../log.js';
import { metrics } from '../metrics.js';

/** Apollo's own codes, in the words of our surface. PERSISTED_QUERY_NOT_FOUND stays: clients wait for it. */
const translated: Record<string, string> = {
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'GRAPHQL_VALIDATION_FAILED',
  DOWNSTREAM_SERVICE_ERROR: 'SERVICE_UNAVAILABLE',
  INVALID_GRAPHQL: 'GRAPHQL_VALIDATION_FAILED',
};

/**
 * What a client sees of an error: its message, path and code. An error that nobody meant for a client is
 * logged under an id, and the client gets the id alone.
 */
export function errorFormatter(service: string, log: Log) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const {
      stacktrace: _stack,
      http: _http,
      serviceName: _apollo,
      ...extensions
    } = formatted.extensions ?? {};
    const given = typeof extensions['code'] === 'string' ? extensions['code'] : 'INTERNAL_SERVER_ERROR';
    const code = translated[given] ?? given;
    metrics.graphqlErrors.inc({ service, code });
    const place = {
      ...(formatted.locations && { locations: formatted.locations }),
      ...(formatted.path && { path: formatted.path }),
    };
    if (code !== 'INTERNAL_SERVER_ERROR') {
      const field =
        code === 'BAD_USER_INPUT' && !('field' in extensions)
          ? variableAtFault(formatted.message)
          : undefined;
      return {
        message: formatted.message,
        ...place,
        extensions: { ...extensions, code, ...(field && { field }) },
      };
    }
    const errorId = typeof extensions['errorId'] === 'string' ? extensions['errorId'] : randomUUID();
    if (errorId !== extensions['errorId'])
      log.error({ service, errorId, err: unwrapResolverError(error) }, 'internal error');
    return {
      message: `Something went wrong here; the error id is ${errorId}.`,
      ...place,
      extensions: { code, errorId },
    };
  };
}

/**
 * Which input a variable that does not fit is about, written as our own refusals write it: graphql tells it
 * in the message alone, as `Variable "$input" got invalid value "2" at "input.items[0].quantity"; ...`.
 */
function variableAtFault(message: string): string | undefined {
  const found = /^Variable "\$(\w+)"(?: got invalid value .* at "\w+([\w.[\]]+)";)?/s.exec(message);
  return found?.[2]?.replace(/\[(\d+)\]/g, '.$1').slice(1) ?? found?.[1];
}

/** The same for errors that do not pass through Apollo Server, those of subscriptions. */
export function formatErrors(
  service: string,
  log: Log,
): (errors: readonly GraphQLError[]) => GraphQLFormattedError[] {
  const format = errorFormatter(service, log);
  return (errors) =>
    errors.flatMap(allOf).map((error) => format(GraphQLError.prototype.toJSON.call(error), error));
}

/** A stream can end with one error only; one that has several to tell throws them as an AggregateError. */
const allOf = (error: GraphQLError): readonly GraphQLError[] =>
  error.originalError instanceof AggregateError ? (error.originalError.errors as GraphQLError[]) : [error];
