import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  Kind,
  type ObjectValueNode,
  parse,
  print,
  type SelectionSetNode,
  type ValueNode,
  visit,
} from 'graphql';

import { type Veils, veilsOf } from './veils.js';

/** What subgraphs need of each other's fields, as `@key` and `@requires` of a supergraph say. */
export interface Needs {
  /** The names of all fields that plans fetch unasked. */
  names: ReadonlySet<string>;
  /** The names of all fields that take arguments. */
  withArguments: ReadonlySet<string>;
  /** The names of all fields that require others, but for those of interface objects. */
  requiring: ReadonlySet<string>;
  /** By the name of a field that requires others, those of interface objects too: the types that have it. */
  demanding: ReadonlyMap<string, readonly string[]>;
  /**
   * What fields require, by `placeOf` the field. Empty where no two fields require one field with different arguments.
   */
  requirements: ReadonlyMap<string, SelectionSetNode>;
  /** The names of each key by which a subgraph is asked about a type, by `keysAt` both. */
  keys: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** The paths (`maker.id`) of what fields require of the object that has them, by `placeOf` the field. */
  required: ReadonlyMap<string, readonly string[]>;
  /** The paths of what fields provide of the objects that they answer, which those lack elsewhere, by `placeOf` the field. */
  provided: ReadonlyMap<string, readonly string[]>;
  /** The paths of what is in keys of a type, by `keysAt` it. */
  inKeys: ReadonlyMap<string, ReadonlySet<string>>;
  veils: Veils;
}

/** A field of a type, as a subgraph has it. */
export const placeOf = (service: string, type: string, field: string): string =>
  `${service} ${type}.${field}`;

/** A type, as a subgraph is asked about it. */
export const keysAt = (service: string, type: string): string => `${service} ${type}`;

/** Reads the needs out of a supergraph's SDL. */
export function needsOf(supergraph: DocumentNode): Needs {
  const names = new Set<string>(['__typename']);
  const withArguments = new Set<string>();
  const requiring = new Set<string>();
  const demanding = new Map<string, string[]>();
  const required = new Map<string, SelectionSetNode>();
  const keys = new Map<string, string[][]>();
  const provided = new Map<string, string[]>();
  const inKeys = new Map<string, Set<string>>();
  const services = servicesOf(supergraph);
  for (const definition of supergraph.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    for (const { set, graph } of fieldSets(definition.directives, 'join__type', 'key')) {
      collectNames(set, names);
      const place = keysAt(services.get(graph) ?? '', definition.name.value);
      keys.set(place, [...(keys.get(place) ?? []), namesIn(set)]);
      inKeys.set(place, new Set([...(inKeys.get(place) ?? []), ...pathsIn(set)]));
    }
    for (const field of definition.fields ?? []) {
      if (field.arguments && field.arguments.length > 0) withArguments.add(field.name.value);
      for (const { set, graph } of fieldSets(field.directives, 'join__field', 'provides'))
        provided.set(
          placeOf(services.get(graph) ?? '', definition.name.value, field.name.value),
          pathsIn(set),
        );
      for (const { set, graph } of fieldSets(field.directives, 'join__field', 'requires')) {
        collectNames(set, names);
        demanding.set(field.name.value, [...(demanding.get(field.name.value) ?? []), definition.name.value]);
        // What an interface object requires stands with the interface: there the planner loses what it is to keep apart.
        if (definition.kind === Kind.OBJECT_TYPE_DEFINITION) requiring.add(field.name.value);
        required.set(placeOf(services.get(graph) ?? '', definition.name.value, field.name.value), set);
      }
    }
  }
  return {
    ...{ names, withArguments, requiring, demanding, keys, provided, inKeys },
    requirements: mayConflict(required) ? required : new Map(),
    required: new Map([...required].map(([place, set]) => [place, pathsIn(set)])),
    veils: veilsOf(supergraph),
  };
}

const namesIn = ({ selections }: SelectionSetNode): string[] =>
  selections.flatMap((selection) => (selection.kind === Kind.FIELD ? selection.name.value : []));

/**
 * The paths of all leaves of a selection, in whatever fragments they stand; none is named here. The names of types are
 * none: an object of which nothing else is selected is one itself.
 */
export const pathsIn = ({ selections }: SelectionSetNode): string[] =>
  selections.flatMap((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return [];
    const { selectionSet } = selection;
    if (selection.kind === Kind.INLINE_FRAGMENT) return pathsIn(selection.selectionSet);
    const name = selection.name.value;
    if (name === '__typename') return [];
    const paths = selectionSet ? pathsIn(selectionSet) : [];
    return paths.length > 0 ? paths.map((path) => `${name}.${path}`) : [name];
  });

/** The names of subgraphs, by what the directives of a supergraph call them. */
function servicesOf(supergraph: DocumentNode): Map<string, string> {
  const services = new Map<string, string>();
  visit(supergraph, {
    EnumValueDefinition({ name, directives }) {
      const service = argumentOf(
        directives?.find((one) => one.name.value === 'join__graph'),
        'name',
      );
      if (service?.kind === Kind.STRING) services.set(name.value, service.value);
    },
  });
  return services;
}

const argumentOf = (node: DirectiveNode | undefined, argument: string): ValueNode | undefined =>
  node?.arguments?.find(({ name }) => name.value === argument)?.value;

function fieldSets(
  directives: readonly DirectiveNode[] | undefined,
  directive: string,
  argument: string,
): { set: SelectionSetNode; graph: string }[] {
  return (directives ?? [])
    .filter(({ name }) => name.value === directive)
    .flatMap((node) => {
      const value = argumentOf(node, argument);
      if (value?.kind !== Kind.STRING) return [];
      const set = parseFieldSet(value.value);
      const graph = argumentOf(node, 'graph');
      return set ? [{ set, graph: graph?.kind === Kind.ENUM ? graph.value : '' }] : [];
    });
}

export function parseFieldSet(text: string): SelectionSetNode | undefined {
  const [operation] = parse(`{ ${text} }`).definitions;
  return operation?.kind === Kind.OPERATION_DEFINITION ? operation.selectionSet : undefined;
}

function collectNames(set: SelectionSetNode, names: Set<string>): void {
  visit(set, { Field: ({ name }) => void names.add(name.value) });
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

function mayConflict(required: ReadonlyMap<string, SelectionSetNode>): boolean {
  const known = new Map<string, string>();
  let may = false;
  for (const set of required.values()) {
    visit(set, {
      Field(field) {
        const given = argumentsOf(field);
        may ||= (known.get(field.name.value) ?? given) !== given;
        known.set(field.name.value, given);
      },
    });
  }
  return may;
}
