import type { GraphQLError } from 'graphql';
import { badInput } from '../../platform/errors.js';
import { isEntity } from '../execute/entity.js';

/** A GraphQL request as clients send it, its parts of the right kind. */
export interface Parameters {
  query: string | undefined;
  /** Names a document that clients were built with, in place of its text. */
  documentId: string | undefined;
  operationName: string | undefined;
  variables: Record<string, unknown>;
  extensions: Record<string, unknown>;
}

/** Reads the JSON body of a POST. @throws BAD_USER_INPUT */
export function bodyParameters(text: string): Parameters {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw badInput('The body is not JSON.', 'body');
  }
  if (Array.isArray(body)) throw badInput('A request holds one operation; there is no batching.', 'body');
  if (!isEntity(body)) throw badInput('The body is an object with a query.', 'body');
  return parametersOf(body);
}

/** Reads the address of a GET, in which variables and extensions are JSON. @throws BAD_USER_INPUT */
export function addressParameters(address: string): Parameters {
  const start = address.indexOf('?');
  const search = new URLSearchParams(start < 0 ? '' : address.slice(start + 1));
  const read = (name: string): unknown => {
    const texts = search.getAll(name);
    if (texts.length > 1) throw badInput(`${name} stands in the address once.`, name);
    return texts[0] || undefined;
  };
  const readJson = (name: string): unknown => {
    const text = read(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text as string);
    } catch {
      throw badInput(`${name} is not JSON.`, name);
    }
  };
  return parametersOf({
    query: read('query'),
    documentId: read('documentId'),
    operationName: read('operationName'),
    variables: readJson('variables'),
    extensions: readJson('extensions'),
  });
}

function parametersOf(given: Record<string, unknown>): Parameters {
  const { query, documentId, operationName, variables, extensions } = given;
  return {
    query: textOf(query, 'query'),
    documentId: textOf(documentId, 'documentId'),
    operationName: textOf(operationName, 'operationName'),
    variables: mapOf(variables, 'variables'),
    extensions: mapOf(extensions, 'extensions'),
  };
}

function textOf(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw notOfKind(name, 'text');
}

function mapOf(value: unknown, name: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (isEntity(value)) return value;
  throw notOfKind(name, 'an object');
}

const notOfKind = (name: string, kind: string): GraphQLError => badInput(`${name} is ${kind}.`, name);
