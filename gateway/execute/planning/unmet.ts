import {
  type FieldNode,
  type GraphQLError,
  type GraphQLSchema,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { problem } from '../../../platform/errors.js';
import { type Fetched, leavesOf } from '../blame.js';
import { keysAt, type Needs, pathsIn, placeOf } from './needs.js';

/**
 * The refusal of a plan that fetches a field without what it requires: its subgraph would answer something made of nothing.
 * Apollo's planner does so where a field requires one that requires others itself, and the object comes from the
 * subgraph that has the second. It may even ask that subgraph for what it has of others, beside the field, and be
 * answered with nothing. Undefined where there is none.
 */
export function findUnmet(
  { required, provided, inKeys }: Pick<Needs, 'required' | 'provided' | 'inKeys'>,
  schema: GraphQLSchema,
  fetched: () => readonly Fetched[],
): GraphQLError | undefined {
  if (required.size === 0) return undefined;
  for (const { service, kind, selectionSet, node } of fetched()) {
    let unmet: GraphQLError | undefined;
    const shown = leavesOf(node.requires ?? []).map((path) => path.join('.'));
    /** What is at hand of the objects on the way: what they are shown with, and what is provided and answered beside. */
    const objects = [{ holds: atHand(selectionSet, shown, []), given: [] as readonly string[] }];
    const types = new TypeInfo(schema, node.requires ? undefined : schema.getRootType(kind));
    visit(
      selectionSet,
      visitWithTypeInfo(types, {
        Field: {
          enter(field: FieldNode) {
            const type = types.getParentType()?.name ?? '';
            const name = field.name.value;
            const place = placeOf(service, type, name);
            const here = objects.at(-1);
            const known = inKeys.get(keysAt(service, type));
            const missing = required.get(place)?.find((path) => !here?.holds(path, known));
            if (missing !== undefined) unmet ??= refusal(`${type}.${name}`, `${type}.${missing}`);
            const given = [...(provided.get(place) ?? []), ...below(here?.given ?? [], name)];
            objects.push({ holds: atHand(field.selectionSet, [], given), given });
          },
          leave: () => void objects.pop(),
        },
      }),
    );
    if (unmet) return unmet;
  }
  return undefined;
}

/**
 * Says of a path whether it is shown, or is selected and is the subgraph's to answer: what it requires is others', but for
 * what is provided, and what is in keys. What is selected is looked for when it is first asked for.
 */
function atHand(set: SelectionSetNode | undefined, shown: readonly string[], provided: readonly string[]) {
  let selected: readonly string[] | undefined;
  return (path: string, inKeys: ReadonlySet<string> | undefined): boolean => {
    if (isIn(shown, path)) return true;
    if (!inKeys?.has(path) && !isIn(provided, path)) return false;
    selected ??= set ? pathsIn(set) : [];
    return isIn(selected, path);
  };
}

/** An object of which the type alone is required may be there with more. */
const isIn = (paths: readonly string[], path: string): boolean =>
  paths.some((one) => one === path || one.startsWith(`${path}.`));

/** The paths that lead on from a field. */
const below = (paths: readonly string[], name: string): string[] =>
  paths.flatMap((path) => (path.startsWith(`${name}.`) ? path.slice(name.length + 1) : []));

const refusal = (field: string, needed: string): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    `${field} needs ${needed}, which cannot be fetched before it here: ask for the object by another field.`,
  );
