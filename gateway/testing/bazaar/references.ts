import {
  type DocumentNode,
  Kind,
  parse,
  type SelectionSetNode,
  type TypeDefinitionNode,
  type ValueNode,
} from 'graphql';
import type { Row, World } from './data/rows.js';

/** Finds what a representation stands for; undefined where a subgraph has nothing of that kind. */
type Resolver = (reference: Record<string, unknown>) => Row | null;

const products = ['Book', 'Film', 'Gadget', 'Prototype'];

/**
 * The `__resolveReference` of every entity of a subgraph: it takes the first `@key` of the type of which the
 * representation has all fields, and answers the row that has the same values there, with the representation
 * in `_reference`.
 */
export function referenceResolvers(
  document: DocumentNode,
  subgraph: string,
  world: World,
): Record<string, { __resolveReference: Resolver }> {
  const resolvers: Record<string, { __resolveReference: Resolver }> = {};
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    const name = definition.name.value;
    const typenames = name === 'Product' ? products : [name];
    const keys = keysOf(definition).map((key) => {
      const rows = new Map(
        world.of(typenames, subgraph).map((row) => [JSON.stringify(valuesAt(key, row)), row]),
      );
      return (reference: Record<string, unknown>) => rows.get(JSON.stringify(valuesAt(key, reference)));
    });
    if (keys.length === 0) continue;
    resolvers[name] = {
      __resolveReference(reference) {
        for (const key of keys) {
          const row = key(reference);
          if (row) return { ...row, _reference: reference };
        }
        return null;
      },
    };
  }
  return resolvers;
}

function keysOf(definition: TypeDefinitionNode): SelectionSetNode[] {
  return (definition.directives ?? [])
    .filter(({ name }) => name.value === 'key')
    .flatMap(({ arguments: given = [] }) => {
      const value = (name: string): ValueNode | undefined =>
        given.find((one) => one.name.value === name)?.value;
      const [fields, resolvable] = [value('fields'), value('resolvable')];
      if (resolvable?.kind === Kind.BOOLEAN && !resolvable.value) return [];
      const [operation] = parse(`{${fields?.kind === Kind.STRING ? fields.value : ''}}`).definitions;
      return operation?.kind === Kind.OPERATION_DEFINITION ? [operation.selectionSet] : [];
    });
}

function valuesAt(selections: SelectionSetNode, from: unknown): unknown {
  if (Array.isArray(from)) return from.map((inner) => valuesAt(selections, inner));
  if (typeof from !== 'object' || from === null) return from ?? null;
  const fields = from as Record<string, unknown>;
  return selections.selections.map((selection) => {
    if (selection.kind !== Kind.FIELD) return null;
    const field = fields[selection.name.value];
    const value = typeof field === 'function' ? field.call(from, {}) : field;
    return selection.selectionSet ? valuesAt(selection.selectionSet, value) : (value ?? null);
  });
}
