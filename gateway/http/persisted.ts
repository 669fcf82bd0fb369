import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { badInput } from '../../platform/errors.js';
import { isEntity } from '../execute/entity.js';
import { type TrustedDocuments, untrusted } from '../guard/trusted-documents.js';
import type { Parameters } from './parameters.js';

/** Documents that clients were built with, and whether nothing else is run. */
export interface Trusted {
  documents: TrustedDocuments;
  only: boolean;
}

/** @throws FORBIDDEN for a document that is not trusted, where only those are run */
export function allowed(query: string, trusted: Trusted | undefined): string {
  if (trusted?.only && !trusted.documents.has(query)) throw untrusted();
  return query;
}

const mostDocuments = 5_000;
const mostCharacters = 8_000_000;

/**
 * Automatic persisted queries, as Apollo Client, urql and Relay speak them: a client sends the hash of its
 * document, and the document too when it is told that nobody knows it. They are kept in this process.
 */
export interface PersistedQueries {
  /**
   * The document of a request.
   * @throws PERSISTED_QUERY_NOT_FOUND (HTTP 200, so that the client sends it whole), BAD_USER_INPUT
   */
  documentOf(parameters: Parameters): string;
}

export function createPersistedQueries(trusted?: Trusted): PersistedQueries {
  const documents = new LRUCache<string, string>({
    max: mostDocuments,
    maxSize: mostCharacters,
    sizeCalculation: (document) => document.length + 64,
  });
  return {
    documentOf({ query, documentId, extensions }) {
      const given = extensions['persistedQuery'];
      if (given === undefined || given === null) {
        if (query) return allowed(query, trusted);
        const known = documentId === undefined ? undefined : trusted?.documents.documentOf(documentId);
        if (known !== undefined) return known;
        if (documentId !== undefined) throw badInput('There is no document of this id.', 'documentId');
        throw badInput('The request has no query.', 'query');
      }
      const hash = isEntity(given) && given['version'] === 1 ? given['sha256Hash'] : undefined;
      if (typeof hash !== 'string') {
        const message = 'persistedQuery holds version 1 and the sha256Hash of the document.';
        throw badInput(message, 'extensions.persistedQuery');
      }
      if (query === undefined) {
        const known = trusted?.documents.documentOf(hash) ?? documents.get(hash);
        if (known !== undefined) return known;
        throw new GraphQLError('PersistedQueryNotFound', {
          extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', http: { status: 200 } },
        });
      }
      if (trusted?.only) return allowed(query, trusted);
      if (documents.get(hash) !== query) {
        if (createHash('sha256').update(query).digest('hex') !== hash) {
          const message = 'sha256Hash is not the hash of the document.';
          throw badInput(message, 'extensions.persistedQuery.sha256Hash');
        }
        documents.set(hash, query);
      }
      return query;
    },
  };
}
