import { Kind, parse, type SelectionSetNode } from 'graphql';
import { type Entity, merge } from './entity.js';
import { generated, isPlainName } from './generated.js';

/** Merges that come so often are worth a function of their own. */
const oftenEnough = 50;

/**
 * `merge` without copies, for what one fetch of entities answers: once it has come often, by a function that
 * reads and writes the fields of the fetch by their names.
 */
export function compileMerge(operation: string): (into: Entity, from: Entity) => void {
  let calls = 0;
  let mergeAll = (into: Entity, from: Entity): void => merge(into, from, false);
  const all = mergeAll;
  return (into, from) => {
    if (++calls === oftenEnough) mergeAll = generate(fieldsOf(operation), all) ?? all;
    mergeAll(into, from);
  };
}

/** The response names of the fields of entities, whatever their type. */
function fieldsOf(operation: string): string[] {
  const names = new Set(['__typename']);
  const visit = ({ selections }: SelectionSetNode, isEntity: boolean): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet, isEntity);
      else if (isEntity) names.add((selection.alias ?? selection.name).value);
      else if (selection.selectionSet) visit(selection.selectionSet, true);
    }
  };
  const [definition] = parse(operation, { noLocation: true }).definitions;
  if (definition?.kind === Kind.OPERATION_DEFINITION) visit(definition.selectionSet, false);
  return [...names];
}

function generate(
  fields: readonly string[],
  all: (into: Entity, from: Entity) => void,
): ((into: Entity, from: Entity) => void) | undefined {
  if (!fields.every(isPlainName)) return undefined;
  const statements = fields.map(
    (name) => `
      value = from.${name};
      if (value !== undefined) {
        if (typeof value === 'object' && value !== null && into.${name} !== undefined) return all(into, from);
        into.${name} = value;
      }`,
  );
  return generated('all', `return (into, from) => { let value; ${statements.join('')} };`, all);
}
