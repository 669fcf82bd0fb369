import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  type FieldNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { below } from './blame.js';
import { type Entity, isEntity, own } from './entity.js';
import { type Needs, placeOf } from './planning/needs.js';
import { namesOf } from './representation.js';
import { responseName } from './selections.js';
import type { KeyTest, TypeTest } from './types.js';

/** What a fetch asks of entities that may lack what some of its fields require. */
export interface Parts {
  /**
   * What it asks of an entity: all that it is for, or what is left of it without the fields that require what the
   * entity lacks. Undefined where that is nothing, or where the entity could not be told from others. What is within
   * the entity and `untold` is as if it were null.
   */
  of(entity: Entity, untold?: ReadonlySet<Entity>): FetchNode | undefined;
  /** What it shows of entities for the sake of other fields alone than the one of a response name. */
  forOthers(isField: (responseName: string) => boolean): ReadonlySet<string>;
}

/** What an object of a type needs so that its subgraph can answer a field. */
interface Need {
  field: FieldNode;
  names: readonly string[];
}

/** Objects may lack many things at once; what is left after so many ways is not asked for. */
const mostParts = 100;

/**
 * Compiles the parts of a fetch. An object lacks what a field requires where the plan fetches that for others only (of
 * another type, or below another kind of parent), where a condition leaves it out, and where fetching it has failed.
 * Undefined for a fetch of which no field requires any, which is all or nothing.
 */
export function compileParts(
  node: FetchNode,
  {
    needs,
    isType,
    hasKey,
  }: { needs: Pick<Needs, 'required' | 'demanding'>; isType: TypeTest; hasKey: KeyTest },
): Parts | undefined {
  if (!node.requires || needs.demanding.size === 0) return undefined;
  const document = parse(node.operation, { noLocation: true });
  const demanding = entityFields(document).filter(({ field }) => needs.demanding.has(field.name.value));
  if (demanding.length === 0) return undefined;
  const shown = shownBy(node.requires);
  const needsByType = new Map<unknown, readonly Need[]>();
  const parts = new Map<string, FetchNode | undefined>();

  const namesFor = (type: string, { name }: FieldNode): string[] | undefined =>
    needs.required
      .get(placeOf(node.serviceName, type, name.value))
      ?.map((path) => path.split('.')[0] as string)
      .filter((required) => shown.has(required));

  function needsOf(typename: unknown): readonly Need[] {
    const known = needsByType.get(typename);
    if (known) return known;
    const found = demanding.flatMap(({ field, type }): Need[] => {
      const names = namesFor(String(typename), field) ?? namesFor(type, field) ?? [];
      return names.length > 0 && isType(typename, type) ? [{ field, names }] : [];
    });
    // Types are named by subgraphs: one that makes names up must not fill the memory.
    if (needsByType.size < 1_000) needsByType.set(typename, found);
    return found;
  }

  return {
    of(entity, untold = nothing) {
      const { __typename: typename } = entity;
      const isMissing = (name: string): boolean =>
        shown.get(name)?.some((selections) => lacks(own(entity, name), selections, { isType, untold })) ===
        true;
      const unmet = needsOf(typename).filter(({ names }) => names.some(isMissing));
      if (unmet.length === 0) return node;
      const missing = new Set(unmet.flatMap(({ names }) => names.filter(isMissing)));
      const left = new Set([...shown.keys()].filter((name) => !missing.has(name)));
      if (!hasKey(node.serviceName, typename, left)) return undefined;
      const fields = new Set(unmet.map(({ field }) => field));
      const key = [...demanding.map(({ field }) => Number(fields.has(field))), ...missing].join();
      if (!parts.has(key) && parts.size < mostParts)
        parts.set(key, withoutFields(node, document, fields, missing));
      return parts.get(key);
    },
    forOthers(isField) {
      const namesOfAll = (isMeant: boolean): string[] =>
        demanding
          .filter(({ field }) => isField(responseName(field)) === isMeant)
          .flatMap(({ field }) => {
            const types = needs.demanding.get(field.name.value) ?? [];
            return types.flatMap((type) => namesFor(type, field) ?? []);
          });
      const needed = new Set(namesOfAll(true));
      return new Set(namesOfAll(false).filter((name) => !needed.has(name)));
    },
  };
}

/** What is selected of each field that a fetch shows; undefined for a leaf. */
function shownBy(
  selections: readonly QueryPlanSelectionNode[],
  shown = new Map<string, (readonly QueryPlanSelectionNode[] | undefined)[]>(),
) {
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') shownBy(selection.selections, shown);
    else {
      const name = selection.alias ?? selection.name;
      shown.set(name, [...(shown.get(name) ?? []), selection.selections]);
    }
  }
  return shown;
}

const nothing: ReadonlySet<Entity> = new Set();

/** Whether a value, or one within it, is not there: null is. */
function lacks(
  value: unknown,
  selections: readonly QueryPlanSelectionNode[] | undefined,
  known: { isType: TypeTest; untold: ReadonlySet<Entity> },
): boolean {
  if (value === undefined) return true;
  if (Array.isArray(value)) return value.some((item) => lacks(item, selections, known));
  if (!selections || !isEntity(value) || known.untold.has(value)) return false;
  return selections.some((selection) =>
    selection.kind === 'Field'
      ? lacks(own(value, selection.alias ?? selection.name), selection.selections, known)
      : selection.typeCondition !== undefined &&
        known.isType(value['__typename'], selection.typeCondition) &&
        lacks(value, selection.selections, known),
  );
}

/** The fields of the entities that a document asks for, each with the type of the fragment that it stands in. */
function entityFields(document: DocumentNode): { field: FieldNode; type: string }[] {
  const within = ({ selections }: SelectionSetNode, type: string): { field: FieldNode; type: string }[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [{ field: selection, type }];
      return selection.kind === Kind.INLINE_FRAGMENT
        ? within(selection.selectionSet, selection.typeCondition?.name.value ?? type)
        : [];
    });
  const root = getOperationAST(document)?.selectionSet;
  return root ? below(root, '_entities').flatMap((set) => within(set, '_Entity')) : [];
}

/** A fetch without some of its fields, and without what it shows for them; undefined where it would tell nothing new. */
function withoutFields(
  node: FetchNode,
  document: DocumentNode,
  fields: ReadonlySet<FieldNode>,
  names: ReadonlySet<string>,
): FetchNode | undefined {
  const left: DocumentNode = visit(document, {
    Field: (field) => (fields.has(field) ? null : undefined),
    InlineFragment: {
      leave: ({ selectionSet }) => (selectionSet.selections.length === 0 ? null : undefined),
    },
  });
  const requires = withoutNames(node.requires ?? [], names);
  const shown = new Set(['__typename', ...namesOf(requires)]);
  const isNew = (field: FieldNode): boolean =>
    field.selectionSet !== undefined || !shown.has(responseName(field));
  if (!entityFields(left).some(({ field }) => isNew(field))) return undefined;
  const used = new Set<string>();
  for (const definition of left.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION)
      visit(definition.selectionSet, { Variable: ({ name }) => void used.add(name.value) });
  return {
    ...node,
    requires,
    ...(node.variableUsages && { variableUsages: node.variableUsages.filter((name) => used.has(name)) }),
    operation: print(
      visit(left, {
        OperationDefinition: ({ variableDefinitions = [], ...operation }): OperationDefinitionNode => ({
          ...operation,
          variableDefinitions: variableDefinitions.filter(({ variable }) => used.has(variable.name.value)),
        }),
      }),
    ),
  };
}

const withoutNames = (
  selections: readonly QueryPlanSelectionNode[],
  names: ReadonlySet<string>,
): QueryPlanSelectionNode[] =>
  selections.flatMap((selection): QueryPlanSelectionNode[] => {
    if (selection.kind === 'InlineFragment')
      return [{ ...selection, selections: withoutNames(selection.selections, names) }];
    return names.has(selection.alias ?? selection.name) ? [] : [selection];
  });
