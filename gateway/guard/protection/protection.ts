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
import { type OperationParts, responseName } from '../../execute/selections.js';
import type { LoadedSupergraph } from '../../supergraph.js';
import { compileWithDenied, type WithDenied } from './answer.js';
import { withoutDenied } from './filter.js';
import { meets, type Requirement } from './requirement.js';

/** What of an operation not everybody may see. */
export interface Protection {
  /** What its fields need, each once. */
  requirements: readonly Requirement[];
}

/** What is left of an operation for who may not see all of it. */
export interface Variant {
  /** Tells it from other variants, and from the operation. */
  key: string;
  /** What is run in place of it. */
  request: OperationRequest;
  /** What it is left of. */
  operation: OperationDefinitionNode;
  /** Makes an answer to that one to what was asked; errors are those of what may not be seen. */
  complete(
    data: Entity,
    variables: Readonly<Record<string, unknown>>,
  ): { data: Entity | null; errors: GraphQLFormattedError[] };
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
  const { clientSchema, supergraphSchema, protection } = graph;
  const parts = inlined(asked);
  const isDenied = (type: string, field: string): boolean => {
    const requirement = protection?.requirementOf(type, field);
    return requirement !== undefined && !meets(requirement, principal);
  };
  const { document, removed, root } = withoutDenied(parts, clientSchema, isDenied);
  const { message, extensions } = principal ? problem('FORBIDDEN', 'You may not see this.') : notLoggedIn();
  const { operation } = parts;
  if (operation.operation === OperationTypeNode.SUBSCRIPTION && root)
    return new GraphQLError(message, { path: [responseName(root)], extensions });
  const withDenied: WithDenied = compileWithDenied(parts, clientSchema, supergraphSchema, removed);
  return {
    key,
    operation: asked.operation,
    request: { query: print(document), operationName: operation.name?.value },
    complete(data, variables) {
      const completed = withDenied(data, variables);
      return {
        data: completed.data,
        errors: completed.denied.map((path) => ({ message, path, extensions })),
      };
    },
  };
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
