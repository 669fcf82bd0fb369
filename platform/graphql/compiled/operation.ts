import {
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  visit,
} from 'graphql';
import { collectFields } from './collect.js';
import type { Plan, Selection } from './plan.js';
import { Errors, isPromise, type Run } from './run.js';
import { compileSelection, compileSerialSelection } from './selection.js';

/** What one execution is given. */
export interface Given {
  rootValue?: unknown;
  contextValue: unknown;
  /** As the client sent them. */
  variables: { readonly [name: string]: unknown } | null | undefined;
}

/**
 * Executes an operation as graphql's `execute` does, with the same answer: `data` and `errors`, with paths and
 * locations; no `data` where the variables do not fit. Resolvers are called in the same order, with the same
 * arguments.
 */
export type ExecuteOperation = (given: Given) => PromiseLike<ExecutionResult> | ExecutionResult;

/** So many errors of variables are told, as by graphql. */
const maxErrors = 50;
/** Operations are compiled anew for each way in which `@skip` and `@include` fall out; so many of them are kept. */
const maxVariants = 16;

/**
 * Compiles an operation of a valid document to closures: what graphql finds out at each execution of each object
 * (which fields are asked, their definitions, arguments, types) is found out once, when an object of that kind
 * is first met.
 */
export function compileOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): ExecuteOperation {
  const { variableDefinitions = [] } = operation;
  const fragments = fragmentsOf(document);
  const conditions = conditionsOf(document);
  const variants = new Map<string, Selection>();

  function rootSelection(variables: Run['variables']): Selection {
    const variant = conditions.map((name) => String(variables[name])).join();
    const known = variants.get(variant);
    if (known) return known;
    // Nothing else of a request may be kept.
    const asked = Object.fromEntries(
      conditions.filter((name) => Object.hasOwn(variables, name)).map((name) => [name, variables[name]]),
    );
    const made = compileRoot({ schema, fragments, variables: asked, operation });
    if (variants.size < maxVariants) variants.set(variant, made);
    return made;
  }

  return ({ rootValue, contextValue, variables: given }) => {
    const { coerced: variables, errors: refused } = getVariableValues(
      schema,
      variableDefinitions,
      given ?? {},
      {
        maxErrors,
      },
    );
    if (refused) return { errors: refused };
    const errors = new Errors();
    const failed = (error: unknown): ExecutionResult => {
      errors.add(error as GraphQLError, undefined);
      return answer(null, errors);
    };
    try {
      const data = rootSelection(variables)(
        { rootValue, contextValue, variables, errors },
        rootValue,
        undefined,
      );
      if (isPromise(data)) return data.then((resolved) => answer(resolved, errors), failed);
      return answer(data, errors);
    } catch (error) {
      return failed(error);
    }
  };
}

const answer = (data: unknown, { list }: Errors): ExecutionResult => {
  const result = { data: data as (ExecutionResult['data'] & object) | null };
  return list.length === 0 ? result : { errors: list, ...result };
};

/** @throws GraphQLError where the schema has no such operations */
function compileRoot(selecting: Omit<Plan, 'select'>): Selection {
  const { schema, operation } = selecting;
  const type = schema.getRootType(operation.operation);
  if (!type) {
    throw new GraphQLError(`Schema is not configured to execute ${operation.operation} operation.`, {
      nodes: operation,
    });
  }
  const plan: Plan = {
    ...selecting,
    select(of, nodes) {
      const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
      return compileSelection(plan, of, collectFields(plan, of, sets));
    },
  };
  const fields = collectFields(plan, type, [operation.selectionSet]);
  const isSerial = operation.operation === OperationTypeNode.MUTATION;
  return (isSerial ? compileSerialSelection : compileSelection)(plan, type, fields);
}

function fragmentsOf(document: DocumentNode): Plan['fragments'] {
  const fragments: { [name: string]: FragmentDefinitionNode } = Object.create(null);
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  return fragments;
}

/** The variables that `@skip` and `@include` ask. */
function conditionsOf(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive({ name, arguments: given = [] }) {
      if (name.value !== 'skip' && name.value !== 'include') return;
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}
