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
import { type Needs, pathsIn, placeOf } from './needs.js';

/**
 * The refusal of a plan that fetches a field without what it requires: its subgraph would answer something made of nothing.
 * Apollo's planner does so where a field requires one that requires others itself, and the object comes from the
 * subgraph that has the second. Undefined where there is none.
 */
export function findUnmet(
  { required }: Pick<Needs, 'required'>,
  schema: GraphQLSchema,
  fetched: () => readonly Fetched[],
): GraphQLError | undefined {
  if (required.size === 0) return undefined;
  for (const { service, kind, selectionSet, node } of fetched()) {
    let unmet: GraphQLError | undefined;
    const shown = leavesOf(node.requires ?? []).map((path) => path.join('.'));
    /** What is at hand of the objects on the way: what they are shown with, and what is answered beside. */
    const objects = [atHand(selectionSet, shown)];
    const types = new TypeInfo(schema, node.requires ? undefined : schema.getRootType(kind));
    visit(
      selectionSet,
      visitWithTypeInfo(types, {
        Field: {
          enter(field: FieldNode) {
            const type = types.getParentType()?.name ?? '';
            const name = field.name.value;
            const here = objects.at(-1);
            const missing = required
              .get(placeOf(service, type, name))
              ?.find((path) => !here || !holds(here(), path));
            if (missing !== undefined) unmet ??= refusal(`${type}.${name}`, `${type}.${missing}`);
            objects.push(atHand(field.selectionSet));
          },
          leave: () => void objects.pop(),
        },
      }),
    );
    if (unmet) return unmet;
  }
  return undefined;
}

/** The paths of what a selection has, and of what is shown; looked for when it is first asked for. */
function atHand(set: SelectionSetNode | undefined, shown: readonly string[] = []): () => ReadonlySet<string> {
  let known: ReadonlySet<string> | undefined;
  return () => {
    known ??= new Set([...shown, ...(set ? pathsIn(set) : [])]);
    return known;
  };
}

/** An object of which the type alone is required may be there with more. */
const holds = (paths: ReadonlySet<string>, path: string): boolean =>
  paths.has(path) || [...paths].some((one) => one.startsWith(`${path}.`));

const refusal = (field: string, needed: string): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    `${field} needs ${needed}, which cannot be fetched before it here: ask for the object by another field.`,
  );
