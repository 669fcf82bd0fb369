import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { problem } from '../errors.js';

/** How long a client's document may be, over HTTP and WebSocket: while one is validated, nobody else is served. */
export const parseOptions = { maxTokens: 15_000 };

/** A document that fits a schema, and which of its operations is to be run. */
export interface ReadOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
}

const closedRules = [...specifiedRules, NoSchemaIntrospectionCustomRule];

type Code = 'GRAPHQL_PARSE_FAILED' | 'GRAPHQL_VALIDATION_FAILED' | 'BAD_USER_INPUT';

export const nestedTooDeep = (): GraphQLError =>
  problem('QUERY_TOO_COMPLEX', 'The operation is nested too deep.');

/**
 * Parses a document and validates it; answers the errors, with their codes, when it is wrong. Without
 * introspection they suggest no names either: those tell of the schema.
 */
export function readOperation(
  schema: GraphQLSchema,
  request: { query: string; operationName?: string | null | undefined },
  { introspection = true }: { introspection?: boolean } = {},
): ReadOperation | readonly GraphQLError[] {
  const document = parseDocument(request.query);
  if (!('kind' in document)) return document;
  const operation = getOperationAST(document, request.operationName);
  if (!operation) return [noSuchOperation()];
  const errors = validationErrors(schema, document, { introspection });
  return errors.length === 0 ? { document, operation } : errors;
}

export const noSuchOperation = (): GraphQLError =>
  problem('GRAPHQL_VALIDATION_FAILED', 'The document has no such operation; say which by operationName.');

/** A document, or why it is none, with its code. */
export function parseDocument(query: string): DocumentNode | readonly GraphQLError[] {
  try {
    return parse(query, parseOptions);
  } catch (error) {
    return [coded('GRAPHQL_PARSE_FAILED', error)];
  }
}

/** Why a document does not fit a schema, with the code. */
export function validationErrors(
  schema: GraphQLSchema,
  document: DocumentNode,
  { introspection = true }: { introspection?: boolean } = {},
): readonly GraphQLError[] {
  try {
    const rules = introspection ? specifiedRules : closedRules;
    const errors = [
      ...missingTypes(schema, document),
      ...validate(schema, document, rules, { hideSuggestions: !introspection }),
    ];
    return errors.map((error) => coded('GRAPHQL_VALIDATION_FAILED', error));
  } catch (error) {
    // graphql 16 throws on @include and @skip at the root of a subscription.
    return [coded('GRAPHQL_VALIDATION_FAILED', error)];
  }
}

/** The operations whose type the schema does not have: graphql 16 lets any field of them pass. */
const missingTypes = (schema: GraphQLSchema, { definitions }: DocumentNode): GraphQLError[] =>
  definitions.flatMap((node) =>
    node.kind === Kind.OPERATION_DEFINITION && !schema.getRootType(node.operation)
      ? [new GraphQLError(`There is no ${node.operation} here.`, { nodes: node })]
      : [],
  );

/** The errors of an operation's variables, with BAD_USER_INPUT. */
export function variableErrors(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown> | null | undefined,
  { introspection = true }: { introspection?: boolean } = {},
): readonly GraphQLError[] {
  const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
    maxErrors: 10,
    hideSuggestions: !introspection,
  });
  return errors.map((error) => coded('BAD_USER_INPUT', error));
}

/** The same error, with a code; who runs out of stack is told what of, in words that are not the engine's. */
export function coded(code: Code, error: unknown): GraphQLError {
  if (error instanceof RangeError) return nestedTooDeep();
  if (!(error instanceof GraphQLError))
    return problem(code, error instanceof Error ? error.message : String(error));
  error.extensions['code'] = code;
  return error;
}
