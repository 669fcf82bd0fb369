import type { IncomingHttpHeaders } from 'node:http';
import { GraphQLError } from 'graphql';
import { problem } from '../errors.js';

/** What a request over HTTP asks for. */
export interface GraphQLRequest {
  query: string;
  operationName: string | undefined;
  variables: { readonly [name: string]: unknown } | undefined;
  /** A GET must change nothing. */
  readOnly: boolean;
}

interface HttpRequest {
  method: string;
  /** With its search. */
  url: string;
  headers: IncomingHttpHeaders;
  body?: unknown;
}

/** A request that is no GraphQL over HTTP; it is answered with that status. */
export const badRequest = (message: string, status = 400): GraphQLError =>
  problem('BAD_USER_INPUT', message, { http: { status } });

/** The refusal of a subscription that came as a request. */
export const subscriptionsElsewhere = (): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    'Subscriptions are served over a WebSocket at this address (graphql-transport-ws).',
    { http: { status: 400 } },
  );

/** What browsers send to any site without asking it first. */
const simpleTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);
const proofs = ['apollo-require-preflight', 'x-apollo-operation-name'] as const;

/**
 * Lets pass what no page of another site can send without having been allowed to (a preflight): what has a content
 * type that is not simple, or one of these headers. As Apollo Server does.
 * @throws BAD_USER_INPUT for everything else
 */
export function refuseForgery(headers: IncomingHttpHeaders): void {
  const type = essence(headers['content-type']);
  if (type !== undefined && !simpleTypes.has(type)) return;
  if (proofs.some((name) => headers[name])) return;
  throw badRequest(
    `The request could come from a page of another site: send "content-type: application/json", or the header ${proofs[0]}.`,
  );
}

const essence = (contentType: string | undefined): string | undefined =>
  contentType?.split(';', 1)[0]?.trim().toLowerCase();

/** @throws BAD_USER_INPUT where it is no GraphQL over HTTP; PERSISTED_QUERY_NOT_SUPPORTED */
export function readRequest(request: HttpRequest): GraphQLRequest {
  const { method, headers } = request;
  if (method === 'POST') return readParts(request.body, false);
  if (method !== 'GET') throw badRequest('GraphQL is asked by GET or POST.', 405);
  const type = essence(headers['content-type']);
  if (type !== undefined && type !== 'application/json')
    throw badRequest('A GET has no body: leave its content type out.', 415);
  return readParts(searchParts(request.url), true);
}

function searchParts(url: string): Record<string, unknown> {
  const at = url.indexOf('?');
  const search = new URLSearchParams(at < 0 ? '' : url.slice(at));
  const once = (name: string): string | undefined => {
    const given = search.getAll(name);
    if (given.length > 1) throw badRequest(`${name} may be given once.`);
    return given[0];
  };
  const json = (name: string): unknown => {
    const text = once(name);
    if (text === undefined) return undefined;
    const value = parsed(text);
    if (isRecord(value)) return value;
    throw badRequest(`${name} must be an object, in JSON.`);
  };
  return {
    query: once('query'),
    operationName: once('operationName'),
    variables: json('variables'),
    extensions: json('extensions'),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readParts(parts: unknown, readOnly: boolean): GraphQLRequest {
  if (Array.isArray(parts)) throw badRequest('Send one operation a request: there are no batches.');
  if (!isRecord(parts)) throw badRequest('The body must be a JSON object with a query.');
  const { query, operationName, variables, extensions } = parts;
  if (!isAbsent(operationName) && typeof operationName !== 'string')
    throw badRequest('operationName must be a text.');
  if (!isAbsent(variables) && !isRecord(variables)) throw badRequest('variables must be an object.');
  if (!isAbsent(extensions) && !isRecord(extensions)) throw badRequest('extensions must be an object.');
  if (extensions?.['persistedQuery']) throw notPersisted();
  if (typeof query !== 'string' || query === '') throw badRequest('The request has no query.');
  return { query, operationName: operationName ?? undefined, variables: variables ?? undefined, readOnly };
}

/** In the words that clients know: they send the whole query then. */
const notPersisted = (): GraphQLError =>
  new GraphQLError('PersistedQueryNotSupported', {
    extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED', http: { status: 200 } },
  });

const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
