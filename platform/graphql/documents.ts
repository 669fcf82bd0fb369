import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationTypeNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { metrics } from '../metrics.js';
import { compileOperation, type ExecuteOperation } from './compiled/operation.js';
import { coded, parseDocument, validationErrors } from './operation.js';

/** An operation that can be executed. */
export interface Operation {
  /** None where the document has no operation of that name: executing it says so. */
  readonly type: OperationTypeNode | undefined;
  readonly execute: ExecuteOperation;
}

/** Reads documents once, and keeps what they were compiled to. */
export interface Documents {
  /** How many are kept. */
  readonly size: number;
  /** The operation of that name of a document, or the errors, with codes, of a document that is wrong. */
  find(query: string, operationName: string | undefined): Operation | readonly GraphQLError[];
}

/**
 * So much is kept: whoever sends other documents all the time costs us the reading, but no memory. A document takes
 * 200 bytes a character, above all for where in its text everything stands: 50 MB at most.
 */
export const documentLimits = { documents: 1_000, characters: 250_000, charactersOfOne: 25_000 };

interface Kept {
  document: DocumentNode;
  operations: Map<string | undefined, Operation>;
}

export function createDocuments(options: { service: string; schema: GraphQLSchema }): Documents {
  const { service, schema } = options;
  const kept = new LRUCache<string, Kept>({
    max: documentLimits.documents,
    maxSize: documentLimits.characters,
    maxEntrySize: documentLimits.charactersOfOne,
    sizeCalculation: (_kept, query) => query.length,
  });
  const hits = metrics.documents.labels(service, 'hit');
  const misses = metrics.documents.labels(service, 'miss');
  const count = metrics.documentsKept.labels({ service });

  function read(query: string): Kept | readonly GraphQLError[] {
    misses.inc();
    const document = parseDocument(query);
    if (!('kind' in document)) return document;
    const errors = validationErrors(schema, document);
    if (errors.length > 0) return errors;
    const made: Kept = { document, operations: new Map() };
    kept.set(query, made);
    count.set(kept.size);
    return made;
  }

  function operationOf({ document, operations }: Kept, name: string | undefined): Operation {
    const known = operations.get(name);
    if (known) return known;
    const node = getOperationAST(document, name);
    // A name that is not there is the client's own: it is not kept, and graphql says what is wrong.
    if (!node) return { type: undefined, execute: refuse(document, name) };
    const made = { type: node.operation, execute: compileOperation(schema, document, node) };
    operations.set(name, made);
    return made;
  }

  function refuse(document: DocumentNode, operationName: string | undefined): ExecuteOperation {
    return () => {
      const { errors = [] } = execute({ schema, document, operationName }) as ExecutionResult;
      return { errors: errors.map((error) => coded('GRAPHQL_VALIDATION_FAILED', error)) };
    };
  }

  return {
    get size() {
      return kept.size;
    },
    find(query, name) {
      const known = kept.get(query);
      if (known) hits.inc();
      const found = known ?? read(query);
      return 'document' in found ? operationOf(found, name) : found;
    },
  };
}
