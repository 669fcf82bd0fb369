import {
  type FieldNode,
  type GraphQLError,
  type GraphQLSchema,
  Kind,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { problem } from '../../platform/errors.js';
import type { Fetched } from './blame.js';
import { type Needs, placeOf } from './needs.js';
import { namesOf } from './representation.js';

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
    const shown = new Set(namesOf(node.requires ?? []));
    /** The fields of each object on the way, whatever fragments they stand in. */
    const objects: ReadonlySet<string>[] = [new Set([...shown, ...fieldsIn(selectionSet)])];
    const types = new TypeInfo(schema, node.requires ? undefined : schema.getRootType(kind));
    visit(
      selectionSet,
      visitWithTypeInfo(types, {
        Field: {
          enter(field: FieldNode) {
            const type = types.getParentType()?.name ?? '';
            const name = field.name.value;
            const missing = required
              .get(placeOf(service, type, name))
              ?.find((needed) => !objects.at(-1)?.has(needed));
            if (missing !== undefined) unmet ??= refusal(`${type}.${name}`, `${type}.${missing}`);
            objects.push(new Set(field.selectionSet ? fieldsIn(field.selectionSet) : []));
          },
          leave: () => void objects.pop(),
        },
      }),
    );
    if (unmet) return unmet;
  }
  return undefined;
}

/** The fields of an object, those that its subgraph has at hand for others among them. */
const fieldsIn = ({ selections }: SelectionSetNode): string[] =>
  selections.flatMap((selection) =>
    selection.kind === Kind.FIELD
      ? selection.name.value
      : selection.kind === Kind.INLINE_FRAGMENT
        ? fieldsIn(selection.selectionSet)
        : [],
  );

const refusal = (field: string, needed: string): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    `${field} needs ${needed}, which cannot be fetched before it here: ask for the object by another field.`,
  );
