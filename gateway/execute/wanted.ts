import type { FetchNode, PlanNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { type GraphQLSchema, isAbstractType, isCompositeType, type SelectionSetNode } from 'graphql';
import { type Fetched, fieldsOfPath, selects } from './blame.js';
import { lazily } from './lazily.js';
import type { Path } from './paths.js';
import { fetchesNotBefore } from './plan.js';
import { collectFields, type IsIncluded, type OperationParts } from './selections.js';
import type { TypeTest } from './types.js';

/** Whether a field of objects that say they are of a type is wanted: by the client, or by another fetch. */
export type IsWanted = (typename: string, responseName: string) => boolean;

interface Asked extends OperationParts {
  schema: GraphQLSchema;
  isType: TypeTest;
  /** What is run of its plan, and what all of that fetches. */
  rest: PlanNode | undefined;
  fetched: () => readonly Fetched[];
}

/**
 * Compiles what is wanted of the objects that a fetch asks about, for what conditions leave of an operation. It may ask
 * for more: a subgraph to which an interface is an object is asked for the same of all types, be it wanted of some alone.
 */
export function compileWanted(
  node: FetchNode,
  path: Path,
  { operation, fragments, schema, isType, rest, fetched }: Asked,
): (isIncluded: IsIncluded) => IsWanted {
  const place = fieldsOfPath(path);
  const isRequired = lazily(() => {
    const required = requiredAt(place, fetched());
    return (typename: string, responseName: string) =>
      required.some(
        ({ name, types }) => name === responseName && types.every((one) => isType(typename, one)),
      );
  });
  const mayBeToldType = lazily(() => {
    const later = new Set(rest && fetchesNotBefore(node, rest));
    return fetched().some((one) => later.has(one.node) && selects(one, [...place, '__typename']));
  });
  return (isIncluded) => {
    const options = { fragments, isIncluded };
    const selectedBy = new Map<string, ReadonlyMap<string, unknown>>();
    const here = lazily(() =>
      place.reduce<readonly SelectionSetNode[]>(
        (sets, name) =>
          (collectFields(schema, undefined, sets, options).get(name) ?? []).flatMap(
            ({ selectionSet }) => selectionSet ?? [],
          ),
        [operation.selectionSet],
      ),
    );
    return (typename, responseName) => {
      const type = schema.getType(typename);
      if (!isCompositeType(type) || (isAbstractType(type) && mayBeToldType())) return true;
      const selected = selectedBy.get(typename) ?? collectFields(schema, type, here(), options);
      selectedBy.set(typename, selected);
      return selected.has(responseName) || isRequired()(typename, responseName);
    };
  };
}

/** A field that a fetch requires, and what an object is of which it requires that. */
interface Required {
  name: string;
  types: readonly string[];
}

function requiredAt(place: readonly string[], fetched: readonly Fetched[]): Required[] {
  return fetched.flatMap(({ path, node }) => {
    const start = fieldsOfPath(path);
    const isAbove = start.every((name, index) => name === place[index]);
    return isAbove ? requiredIn(node.requires ?? [], place.slice(start.length)) : [];
  });
}

function requiredIn(
  selections: readonly QueryPlanSelectionNode[],
  way: readonly string[],
  types: readonly string[] = [],
): Required[] {
  return selections.flatMap((selection) => {
    if (selection.kind === 'InlineFragment') {
      const { typeCondition } = selection;
      return requiredIn(
        selection.selections,
        way,
        typeCondition === undefined ? types : [...types, typeCondition],
      );
    }
    const name = selection.alias ?? selection.name;
    const [next, ...rest] = way;
    if (next === undefined) return [{ name, types }];
    return name === next ? requiredIn(selection.selections ?? [], rest) : [];
  });
}
