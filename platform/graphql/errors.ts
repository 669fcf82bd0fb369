import { randomUUID } from 'node:crypto';
import { unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { errorCodes } from '../errors.js';
import type { Log } from '../log.js';
import { metrics } from '../metrics.js';
import { isTransient } from '../postgres/errors.js';

/** Apollo's own codes, in the words of our surface. PERSISTED_QUERY_NOT_FOUND stays: clients wait for it. */
const translated: Record<string, string> = {
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'GRAPHQL_VALIDATION_FAILED',
  DOWNSTREAM_SERVICE_ERROR: 'SERVICE_UNAVAILABLE',
  INVALID_GRAPHQL: 'GRAPHQL_VALIDATION_FAILED',
};

/** Messages of graphql quote what the client sent, however long. */
const longestMessage = 1_000;

/**
 * What a client sees of an error: its message, path and code. An error that nobody meant for a client is
 * logged under an id, and the client gets the id alone, with SERVICE_UNAVAILABLE where trying again can help.
 * Without `suggestions` a refused document or variable gets no names of the schema.
 */
export function errorFormatter(
  service: string,
  log: Log,
  { suggestions = true }: { suggestions?: boolean } = {},
) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const { stacktrace: _stack, http, serviceName: _apollo, ...extensions } = formatted.extensions ?? {};
    const given = typeof extensions['code'] === 'string' ? extensions['code'] : 'INTERNAL_SERVER_ERROR';
    const cause = unwrapResolverError(error);
    const shown =
      translated[given] ?? (given === 'INTERNAL_SERVER_ERROR' ? clientsFault(cause, http) : given);
    const isInternal = shown === 'INTERNAL_SERVER_ERROR';
    const code = isInternal && isTransient(cause) ? 'SERVICE_UNAVAILABLE' : shown;
    metrics.graphqlErrors.inc({ service, code: labelOf(code) });
    const place = {
      ...(formatted.locations && { locations: formatted.locations }),
      ...(formatted.path && { path: formatted.path }),
    };
    if (!isInternal) {
      const field =
        code === 'BAD_USER_INPUT' && !('field' in extensions)
          ? variableAtFault(formatted.message)
          : undefined;
      // The engine's own words help nobody.
      const message = cause instanceof RangeError ? 'The request is nested too deep.' : formatted.message;
      const hides = !suggestions && (code === 'BAD_USER_INPUT' || code === 'GRAPHQL_VALIDATION_FAILED');
      return {
        message: shortened(hides ? withoutSuggestion(message) : message),
        ...place,
        extensions: { ...extensions, code, ...(field && { field }) },
      };
    }
    const errorId = typeof extensions['errorId'] === 'string' ? extensions['errorId'] : randomUUID();
    if (errorId !== extensions['errorId']) log.error({ service, errorId, err: cause }, 'internal error');
    return code === 'SERVICE_UNAVAILABLE'
      ? {
          message: `The ${service} service cannot do this now; try again in a moment. The error id is ${errorId}.`,
          ...place,
          extensions: { code, service, errorId },
        }
      : {
          message: `Something went wrong here; the error id is ${errorId}.`,
          ...place,
          extensions: { code, errorId },
        };
  };
}

/** Codes that are counted by their names. Subgraphs may have others: one that makes them up must not fill the memory. */
const counted = new Set<string>(errorCodes);
const mostCodes = 100;

function labelOf(code: string): string {
  if (counted.size < mostCodes) counted.add(code);
  return counted.has(code) ? code : 'OTHER';
}

/** What stands behind an error without a code: a request that Apollo refused, or one that is nested without end. */
function clientsFault(cause: unknown, http: unknown): string {
  if (cause instanceof RangeError && cause.message.includes('call stack')) return 'QUERY_TOO_COMPLEX';
  // A variable that may be null, and has a default, was given null: that shows only once it is run.
  if (
    cause instanceof GraphQLError &&
    /^Argument "\w+" of non-null type "[^"]+" must not be null\.$/.test(cause.message)
  )
    return 'BAD_USER_INPUT';
  const status = typeof http === 'object' && http !== null && 'status' in http ? http.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500
    ? 'BAD_USER_INPUT'
    : 'INTERNAL_SERVER_ERROR';
}

const shortened = (message: string): string =>
  message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message;

/** A message of graphql without the `Did you mean "name"?` at its end. No regex: a client writes most of the message. */
export function withoutSuggestion(message: string): string {
  const start = message.lastIndexOf(' Did you mean ');
  return start >= 0 && message.endsWith('?') ? message.slice(0, start) : message;
}

/**
 * Which input a variable that does not fit is about, written as our own refusals write it: graphql tells it
 * in the message alone, as `Variable "$input" got invalid value "2" at "input.items[0].quantity"; ...`.
 */
function variableAtFault(message: string): string | undefined {
  const variable = /^Variable "\$(\w{1,100})"/.exec(message)?.[1];
  if (variable === undefined) return undefined;
  // The message holds the client's value, of any length: it is searched once, and only a piece is matched.
  const mark = ` at "${variable}`;
  const start = message.indexOf(mark);
  const rest = start < 0 ? '' : message.slice(start + mark.length, start + mark.length + 310);
  const path = /^([.[][\w.[\]]{1,300})";/.exec(rest)?.[1];
  return path?.replace(/\[(\d{1,10})\]/g, '.$1').slice(1) ?? variable;
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
