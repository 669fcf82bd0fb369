import {
  type FieldNode,
  GraphQLError,
  type GraphQLFormattedError,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { notLoggedIn, type Principal } from '../../../platform/auth/principal.js';
import { problem } from '../../../platform/errors.js';
import type { OperationRequest } from '../../execute/engine.js';
import type { Entity } from '../../execute/entity.js';
import { renameFields } from '../../execute/planning/names.js';
import { type OperationParts, operationOf, responseName } from '../../execute/selections.js';
import type { LoadedSupergraph } from '../../supergraph.js';
import { compileWithDenied, type WithDenied } from './answer.js';
import { withoutDenied } from './filter.js';
import { meets, type Requirement } from './requirement.js';

/** What of an operation not everybody may see. */
export interface Protection {
  /** What its fields need, each once. */
  requirements: readonly Requirement[];
}

interface Answer {
  data?: Entity | null;
  errors?: readonly GraphQLFormattedError[];
}

/** What is left of an operation for who may not see all of it. */
export interface Variant {
  /** Tells it from other variants, and from the operation. */
  key: string;
  /** What is run in place of it. */
  request: OperationRequest;
  /** What it is left of. */
  operation: OperationDefinitionNode;
  /**
   * The errors of a mutation that has no data without a field that may not be run: then none of it is to run, since its
   * answer says that nothing was done. Else none.
   */
  refusal(variables: Readonly<Record<string, unknown>>): GraphQLFormattedError[];
  /** Makes an answer to that one to what was asked, in which what may not be seen is null; these are its places. */
  complete(
    answer: Answer,
    variables: Readonly<Record<string, unknown>>,
  ): { data: Entity | null; errors: GraphQLFormattedError[]; denied: GraphQLFormattedError[] };
}

/** What an operation of a document needs; undefined where all may see all of it. The document need not be valid. */
export function protectionOf(
  { operation, fragments }: OperationParts,
  { clientSchema, protection }: LoadedSupergraph,
): Protection | undefined {
  if (!protection) return undefined;
  const requirements = new Set<Requirement>();
  for (const node of [operation, ...fragments.values()]) {
    const types = new TypeInfo(clientSchema);
    const visitor = visitWithTypeInfo(types, {
      Field({ name }) {
        const requirement = protection.requirementOf(types.getParentType()?.name ?? '', name.value);
        if (requirement) requirements.add(requirement);
      },
    });
    visit(node, visitor);
  }
  return requirements.size > 0 ? { requirements: [...requirements] } : undefined;
}

/** Tells alike what two principals lack of what is required; empty where one lacks nothing. */
export function lackOf({ requirements }: Protection, principal: Principal | null): string {
  if (requirements.every((requirement) => meets(requirement, principal))) return '';
  const code = principal ? 'FORBIDDEN' : 'UNAUTHENTICATED';
  return code + requirements.map((requirement) => (meets(requirement, principal) ? '+' : '-')).join('');
}

/** What is left of an operation of a valid document for a principal, or the refusal where that cannot be told by nulls. */
export function variantFor(
  asked: OperationParts,
  graph: LoadedSupergraph,
  principal: Principal | null,
  key: string,
): Variant | GraphQLError {
  const { clientSchema, protection } = graph;
  const { parts, clientNames } = withTypenames(inlined(asked));
  const clientName = (step: string | number) => clientNames.get(step as string) ?? step;
  const isDenied = (type: string, field: string): boolean => {
    const requirement = protection?.requirementOf(type, field);
    return requirement !== undefined && !meets(requirement, principal);
  };
  const { document, removed, root } = withoutDenied(parts, clientSchema, isDenied);
  const { message, extensions } = principal ? problem('FORBIDDEN', 'You may not see this.') : notLoggedIn();
  const { operation } = parts;
  if (operation.operation === OperationTypeNode.SUBSCRIPTION && root)
    return new GraphQLError(message, { path: [clientName(responseName(root))], extensions });
  const withDenied: WithDenied = compileWithDenied(parts, graph, removed, clientNames);
  const told = (path: readonly (string | number)[]) => ({ message, path, extensions });
  const withoutOthers =
    operation.operation === OperationTypeNode.MUTATION && root
      ? compileWithDenied(parts, graph, removed, clientNames, () => true)
      : undefined;
  return {
    key,
    operation: asked.operation,
    request: { query: print(document), operationName: operation.name?.value },
    refusal(variables) {
      const { data, denied } = withoutOthers?.({}, variables) ?? { data: {}, denied: [] };
      return data ? [] : denied.map(told);
    },
    complete({ data, errors = [] }, variables) {
      const completed = data ? withDenied(data, variables) : { data: null, denied: [] };
      return {
        data: completed.data,
        errors: errors.map((error) => (error.path ? { ...error, path: error.path.map(clientName) } : error)),
        denied: completed.denied.map(told),
      };
    },
  };
}

/** An operation in which the key `__typename` is free for the types' names, and what clients call the others. */
function withTypenames({ operation }: OperationParts) {
  const { document, clientNames } = renameFields(
    { kind: Kind.DOCUMENT, definitions: [operation] },
    { names: new Set(['__typename']), withArguments: new Set() },
  );
  return { parts: operationOf(document, operation.name?.value), clientNames };
}

/**
 * An operation without named fragments: what they select stands wherever they are used, each time anew, since a field may
 * be left in one place and taken out in another.
 */
function inlined({ operation, fragments }: OperationParts): OperationParts {
  const ofSet = ({ selections, ...set }: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: selections.flatMap((node): readonly SelectionNode[] => {
      if (node.kind === Kind.FIELD) return [field(node)];
      if (node.kind === Kind.INLINE_FRAGMENT) return [{ ...node, selectionSet: ofSet(node.selectionSet) }];
      const fragment = fragments.get(node.name.value);
      if (!fragment) return [];
      const { typeCondition, selectionSet } = fragment;
      const { directives = [] } = node;
      return [{ kind: Kind.INLINE_FRAGMENT, typeCondition, directives, selectionSet: ofSet(selectionSet) }];
    }),
  });
  const field = (node: FieldNode): FieldNode =>
    node.selectionSet ? { ...node, selectionSet: ofSet(node.selectionSet) } : { ...node };
  return { operation: { ...operation, selectionSet: ofSet(operation.selectionSet) }, fragments: new Map() };
}
