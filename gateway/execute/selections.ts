import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getOperationAST,
  isAbstractType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** An operation, and all fragments of its document. */
export interface OperationParts {
  operation: OperationDefinitionNode;
  fragments: Fragments;
}

/** @throws Error where the document does not have it */
export function operationOf(document: DocumentNode, name: string | null | undefined): OperationParts {
  const operation = getOperationAST(document, name);
  if (!operation) throw new Error('the document has no such operation');
  return { operation, fragments: fragmentsOf(document) };
}

/** The fragments of a document, by name. */
export const fragmentsOf = ({ definitions }: DocumentNode): Fragments =>
  new Map(
    definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );

/** A directive's condition as it stands for one set of variables. */
export type IsIncluded = (selection: SelectionNode) => boolean;

/** Shows each selection of an operation, those of a fragment once. */
function eachSelection(
  { operation, fragments }: OperationParts,
  show: (selection: SelectionNode) => void,
): void {
  const visited = new Set<string>();
  const visit = (selectionSet: SelectionSetNode): void => {
    for (const selection of selectionSet.selections) {
      show(selection);
      if (selection.kind !== 'FragmentSpread') {
        if (selection.selectionSet) visit(selection.selectionSet);
        continue;
      }
      const fragment = fragments.get(selection.name.value);
      if (!fragment || visited.has(fragment.name.value)) continue;
      visited.add(fragment.name.value);
      visit(fragment.selectionSet);
    }
  };
  visit(operation.selectionSet);
}

/** The names of the variables that decide, by `@skip` and `@include`, which fields an operation has. */
export function conditionVariables(parts: OperationParts): string[] {
  const names = new Set<string>();
  eachSelection(parts, (selection) => {
    for (const { value } of conditionsOf(selection))
      if (value.kind === 'Variable') names.add(value.name.value);
  });
  return [...names].sort();
}

/** Which selections stand when the variables have these values. */
export const includedBy =
  (values: ReadonlyMap<string, boolean>): IsIncluded =>
  (selection) =>
    conditionsOf(selection).every(({ isInclude, value }) => {
      const given =
        value.kind === 'Variable'
          ? values.get(value.name.value)
          : value.kind === 'BooleanValue' && value.value;
      return given === isInclude;
    });

export interface Condition {
  isInclude: boolean;
  value: ValueNode;
}

export function conditionsOf(selection: SelectionNode): Condition[] {
  return (selection.directives ?? []).flatMap(({ name, arguments: given = [] }) => {
    const value = given[0]?.value;
    if ((name.value !== 'skip' && name.value !== 'include') || !value) return [];
    return [{ isInclude: name.value === 'include', value }];
  });
}

const noNames: ReadonlyMap<string, string> = new Map();

export const responseName = ({ alias, name }: FieldNode): string => (alias ?? name).value;

/**
 * The fields that an object of a type has in its answer: by response name, in the order of the spec's
 * CollectFields, each with all field nodes that select it. Without a type, those that an object of any type has.
 */
export function collectFields(
  schema: GraphQLSchema,
  type: GraphQLCompositeType | undefined,
  selectionSets: readonly SelectionSetNode[],
  {
    fragments,
    isIncluded,
    clientNames = noNames,
  }: {
    fragments: Fragments;
    isIncluded: IsIncluded;
    /** What clients call a response name, where they call it something else. */
    clientNames?: ReadonlyMap<string, string>;
  },
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  const applies = (condition: string | undefined): boolean => {
    if (condition === undefined || !type || condition === type.name) return true;
    const wanted = schema.getType(condition);
    return isAbstractType(wanted) && !isUnionType(type) && schema.isSubType(wanted, type);
  };
  const visit = (selectionSet: SelectionSetNode): void => {
    for (const selection of selectionSet.selections) {
      if (!isIncluded(selection)) continue;
      if (selection.kind === 'Field') {
        const name = responseName(selection);
        const key = clientNames.get(name) ?? name;
        const known = fields.get(key);
        if (known) known.push(selection);
        else fields.set(key, [selection]);
      } else if (selection.kind === 'InlineFragment') {
        if (applies(selection.typeCondition?.name.value)) visit(selection.selectionSet);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment && applies(fragment.typeCondition.name.value)) visit(fragment.selectionSet);
      }
    }
  };
  for (const selectionSet of selectionSets) visit(selectionSet);
  return fields;
}
