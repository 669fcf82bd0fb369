import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { problem } from '../errors.js';

/** What a client sends to have an operation run. */
export interface OperationRequest {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

/** Parses and validates a document; answers the errors, with their codes, when it is wrong. */
export function readDocument(schema: GraphQLSchema, query: string): DocumentNode | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (error) {
    return [coded('GRAPHQL_PARSE_FAILED', error)];
  }
  try {
    const errors = validate(schema, document);
    return errors.length === 0 ? document : errors.map((error) => coded('GRAPHQL_VALIDATION_FAILED', error));
  } catch (error) {
    // graphql 16 throws on @include and @skip at the root of a subscription.
    return [coded('GRAPHQL_VALIDATION_FAILED', error)];
  }
}

function coded(code: 'GRAPHQL_PARSE_FAILED' | 'GRAPHQL_VALIDATION_FAILED', error: unknown): GraphQLError {
  if (!(error instanceof GraphQLError)) return problem(code, error instanceof Error ? error.message : String(error));
  error.extensions['code'] = code;
  return error;
}
