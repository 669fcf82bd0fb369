import {
  type DirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  Kind,
  type ObjectValueNode,
  parse,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** What subgraphs need of each other's fields, as `@key` and `@requires` of a supergraph say. */
export interface Needs {
  /** The names of all fields that plans fetch unasked. */
  names: ReadonlySet<string>;
  /** The names of all fields that take arguments. */
  withArguments: ReadonlySet<string>;
  /**
   * What fields require, by their type and name: places below their object as paths of field names, and the
   * arguments there as text. Empty where no two fields require one field with different arguments.
   */
  requirements: ReadonlyMap<string, ReadonlyMap<string, Places>>;
}

export type Places = ReadonlyMap<string, string>;

/** Reads the needs out of a supergraph's SDL. */
export function needsOf(supergraph: DocumentNode): Needs {
  const names = new Set<string>(['__typename']);
  const withArguments = new Set<string>();
  const required = new Map<string, Map<string, Map<string, string>>>();
  for (const definition of supergraph.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    for (const set of fieldSets(definition.directives, 'join__type', 'key')) collectNames(set, names);
    const ofType = new Map<string, Map<string, string>>();
    for (const field of definition.fields ?? []) {
      if (field.arguments && field.arguments.length > 0) withArguments.add(field.name.value);
      const needed = requirementsOf(field, names);
      if (needed.size > 0) ofType.set(field.name.value, needed);
    }
    required.set(definition.name.value, ofType);
  }
  return { names, withArguments, requirements: mayConflict(required) ? required : new Map() };
}

function requirementsOf(field: FieldDefinitionNode, names: Set<string>): Map<string, string> {
  const needed = new Map<string, string>();
  for (const set of fieldSets(field.directives, 'join__field', 'requires')) {
    collectNames(set, names);
    collectArguments(set, '', needed);
  }
  return needed;
}

function fieldSets(
  directives: readonly DirectiveNode[] | undefined,
  directive: string,
  argument: string,
): SelectionSetNode[] {
  return (directives ?? [])
    .filter(({ name }) => name.value === directive)
    .flatMap((node) => {
      const value = node.arguments?.find(({ name }) => name.value === argument)?.value;
      if (value?.kind !== Kind.STRING) return [];
      const [operation] = parse(`{ ${value.value} }`).definitions;
      return operation?.kind === Kind.OPERATION_DEFINITION ? [operation.selectionSet] : [];
    });
}

function collectNames(set: SelectionSetNode, names: Set<string>): void {
  visit(set, { Field: ({ name }) => void names.add(name.value) });
}

function collectArguments(set: SelectionSetNode, path: string, needed: Map<string, string>): void {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      collectArguments(selection.selectionSet, path, needed);
      continue;
    }
    const place = path === '' ? selection.name.value : `${path}.${selection.name.value}`;
    needed.set(place, argumentsOf(selection));
    if (selection.selectionSet) collectArguments(selection.selectionSet, place, needed);
  }
}

/** The arguments of a field as text, the same for the same arguments, in whatever order they and their fields stand. */
export const argumentsOf = ({ arguments: given = [] }: FieldNode): string =>
  given
    .map((argument) => print(visit(argument, { ObjectValue: { leave: inOrder } })))
    .sort()
    .join(',');

const inOrder = (value: ObjectValueNode): ObjectValueNode => ({
  ...value,
  fields: [...value.fields].sort((a, b) => (a.name.value < b.name.value ? -1 : 1)),
});

function mayConflict(required: ReadonlyMap<string, ReadonlyMap<string, Places>>): boolean {
  const known = new Map<string, string>();
  const places = [...required.values()].flatMap((fields) => [...fields.values()].flatMap((of) => [...of]));
  return places.some(([place, given]) => {
    const field = place.slice(place.lastIndexOf('.') + 1);
    const other = known.get(field);
    known.set(field, given);
    return other !== undefined && other !== given;
  });
}
