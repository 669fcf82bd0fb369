import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  type FieldNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { below, leavesOf } from './blame.js';
import { type Entity, isEntity, own } from './entity.js';
import { type Needs, placeOf } from './planning/needs.js';
import { namesOf } from './representation.js';
import { type IsIncluded, responseName } from './selections.js';
import type { KeyTest, TypeTest } from './types.js';
import type { IsWanted } from './wanted.js';

/** What a fetch asks of entities that may lack what some of its fields require. */
export interface Parts {
  /**
   * What it asks of an entity: all that it is for, or what is left of it without the fields that require what the
   * entity lacks. Undefined where nothing of that is wanted, or where the entity could not be told from others. What
   * is within the entity and `untold` is as if it were null.
   */
  by(isIncluded: IsIncluded, untold?: ReadonlySet<Entity>): (entity: Entity) => FetchNode | undefined;
  /** The paths of what it shows of entities for the sake of other fields alone than the one of a response name. */
  forOthers(isField: (responseName: string) => boolean): ReadonlySet<string>;
}

type Selections = readonly QueryPlanSelectionNode[];

/** A path (`maker.id`) of what a fetch shows of an object, and the way there alone. */
interface Leaf {
  path: string;
  way: Selections;
  /** Whether it is an object of which the type alone is required. */
  isObject: boolean;
}

/** A field that a fetch asks for, the type of the fragment that it stands in, and the selections on the way to it. */
interface AskedField {
  field: FieldNode;
  type: string;
  way: readonly SelectionNode[];
}

/** What a fetch is to objects of a type. */
interface Meant {
  /** The fields that they are asked for, and what they are shown with. */
  fields: readonly AskedField[];
  shown: Selections;
  /** What some of the fields require. */
  needs: readonly { field: FieldNode; leaves: readonly Leaf[] }[];
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
    wantedBy,
  }: {
    needs: Pick<Needs, 'required' | 'demanding'>;
    isType: TypeTest;
    hasKey: KeyTest;
    wantedBy: (isIncluded: IsIncluded) => IsWanted;
  },
): Parts | undefined {
  const { requires } = node;
  if (!requires || needs.demanding.size === 0) return undefined;
  const document = parse(node.operation, { noLocation: true });
  const asked = entityFields(document);
  const demanding = asked.filter(({ field }) => needs.demanding.has(field.name.value));
  if (demanding.length === 0) return undefined;
  // What a fetch renames has another name in it than for clients.
  const isRenaming = (node.outputRewrites?.length ?? 0) > 0;
  const meantByType = new Map<string, Meant>();
  const parts = new Map<string, FetchNode>();

  const pathsFor = (type: string, { name }: FieldNode): readonly string[] | undefined =>
    needs.required.get(placeOf(node.serviceName, type, name.value));

  function meantFor(typename: string): Meant {
    const known = meantByType.get(typename);
    if (known) return known;
    const isMeant = ({ type }: { type: string }) => isType(typename, type);
    // Another type may be shown with other parts of the same value.
    const shown = requires?.filter(
      (one) => one.kind === 'Field' || one.typeCondition === undefined || isType(typename, one.typeCondition),
    );
    const meant: Meant = {
      fields: asked.filter(isMeant),
      shown: shown ?? [],
      needs: demanding.filter(isMeant).flatMap(({ field, type }) => {
        const paths = pathsFor(typename, field) ?? pathsFor(type, field) ?? [];
        const leaves = paths.flatMap((path): Leaf[] => {
          const way = along(shown ?? [], (one) => one === path);
          const isObject = !isBare(way) && isBare(along(way, (one, object) => one === path && !object));
          return isBare(way) ? [] : [{ path, way, isObject }];
        });
        return leaves.length > 0 ? [{ field, leaves }] : [];
      }),
    };
    // Types are named by subgraphs: one that makes names up must not fill the memory.
    if (meantByType.size < 1_000) meantByType.set(typename, meant);
    return meant;
  }

  const partOf = (
    entity: Entity,
    {
      isIncluded,
      isWanted,
      untold,
    }: { isIncluded: IsIncluded; isWanted: IsWanted; untold: ReadonlySet<Entity> },
  ): FetchNode | undefined => {
    const { __typename: typename } = entity;
    if (typeof typename !== 'string') return node;
    const meant = meantFor(typename);
    const isMissing = ({ way }: Leaf): boolean => lacks(entity, way, { isType, untold });
    const unmet = meant.needs.filter(({ leaves }) => leaves.some(isMissing));
    if (unmet.length === 0) return node;
    const missing = new Set(unmet.flatMap(({ leaves }) => leaves.filter(isMissing).map(({ path }) => path)));
    const kept = new Set(
      meant.needs
        .filter((need) => !unmet.includes(need))
        .flatMap(({ leaves }) => leaves.flatMap(({ path, isObject }) => (isObject ? path : []))),
    );
    const isLeft = (path: string, isObject: boolean) => (isObject ? kept.has(path) : !missing.has(path));
    const left = new Set(['__typename', ...namesOf(along(meant.shown, isLeft))]);
    if (!hasKey(node.serviceName, typename, left)) return undefined;
    const fields = new Set(unmet.map(({ field }) => field));
    const isNew = ({ field, way }: AskedField): boolean =>
      !fields.has(field) &&
      (field.selectionSet !== undefined || !left.has(responseName(field))) &&
      (isRenaming || isWanted(typename, responseName(field))) &&
      way.every(isIncluded);
    if (!meant.fields.some(isNew)) return undefined;
    const flags = demanding.map(({ field }) => Number(fields.has(field)));
    const key = [flags, [...missing].sort(), [...kept].sort()].join(';');
    if (!parts.has(key) && parts.size < mostParts)
      parts.set(key, {
        ...withoutFields(node, document, fields),
        requires: along(requires, isLeft),
      });
    return parts.get(key);
  };

  return {
    by(isIncluded, untold = nothing) {
      const isWanted = wantedBy(isIncluded);
      return (entity) => partOf(entity, { isIncluded, isWanted, untold });
    },
    forOthers(isField) {
      const pathsOfAll = (isMeant: boolean): string[] =>
        demanding
          .filter(({ field }) => isField(responseName(field)) === isMeant)
          .flatMap(({ field }) => {
            const types = needs.demanding.get(field.name.value) ?? [];
            return types.flatMap((type) => pathsFor(type, field) ?? []);
          });
      const needed = new Set(pathsOfAll(true));
      return new Set(pathsOfAll(false).filter((path) => !needed.has(path)));
    },
  };
}

/** Of selections those of some paths, with the types on the way; objects of which nothing is left only where they are wanted. */
const along = (
  selections: Selections,
  isWanted: (path: string, isObject: boolean) => boolean,
  above = '',
): QueryPlanSelectionNode[] =>
  selections.flatMap((selection): QueryPlanSelectionNode[] => {
    if (selection.kind === 'InlineFragment') {
      const inner = along(selection.selections, isWanted, above);
      return inner.length > 0 ? [{ ...selection, selections: inner }] : [];
    }
    const name = selection.alias ?? selection.name;
    const path = above + name;
    if (!selection.selections) return name === '__typename' || isWanted(path, false) ? [selection] : [];
    const inner = along(selection.selections, isWanted, `${path}.`);
    return !isBare(inner) || isWanted(path, true) ? [{ ...selection, selections: inner }] : [];
  });

/** Whether nothing but the names of types is selected. */
const isBare = (selections: Selections): boolean => leavesOf(selections).length === 0;

const nothing: ReadonlySet<Entity> = new Set();

/** Whether any of what is selected of an object is not there: null is. */
function lacks(
  entity: Entity,
  selections: Selections,
  known: { isType: TypeTest; untold: ReadonlySet<Entity> },
): boolean {
  const isLacking = (value: unknown, inner: Selections): boolean => {
    if (Array.isArray(value)) return value.some((item) => isLacking(item, inner));
    return isEntity(value) && !known.untold.has(value) && lacks(value, inner, known);
  };
  return selections.some((selection) => {
    if (selection.kind === 'InlineFragment')
      return (
        selection.typeCondition !== undefined &&
        known.isType(entity['__typename'], selection.typeCondition) &&
        lacks(entity, selection.selections, known)
      );
    const value = own(entity, selection.alias ?? selection.name);
    return value === undefined || (selection.selections ? isLacking(value, selection.selections) : false);
  });
}

/** The fields of the entities that a document asks for. */
function entityFields(document: DocumentNode): AskedField[] {
  const within = (
    { selections }: SelectionSetNode,
    type: string,
    around: readonly SelectionNode[] = [],
  ): AskedField[] =>
    selections.flatMap((selection) => {
      const way = [...around, selection];
      if (selection.kind === Kind.FIELD) return [{ field: selection, type, way }];
      return selection.kind === Kind.INLINE_FRAGMENT
        ? within(selection.selectionSet, selection.typeCondition?.name.value ?? type, way)
        : [];
    });
  const root = getOperationAST(document)?.selectionSet;
  return root ? below(root, '_entities').flatMap((set) => within(set, '_Entity')) : [];
}

/** A fetch without some of its fields, and without the variables that those alone have. */
function withoutFields(node: FetchNode, document: DocumentNode, fields: ReadonlySet<FieldNode>): FetchNode {
  const left: DocumentNode = visit(document, {
    Field: (field) => (fields.has(field) ? null : undefined),
    InlineFragment: {
      leave: ({ selectionSet }) => (selectionSet.selections.length === 0 ? null : undefined),
    },
  });
  const used = new Set<string>();
  for (const definition of left.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION)
      visit(definition.selectionSet, { Variable: ({ name }) => void used.add(name.value) });
  return {
    ...node,
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
