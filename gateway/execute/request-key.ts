import type { OperationRequest } from './engine.js';

/** Tells an operation of a document from every other; a name says how long it is, since what clients send for one may have lines. */
export function requestKey({ query, operationName }: OperationRequest): string {
  const name = operationName ?? '';
  return `${name.length} ${name}${query}`;
}
