import type { FetchNode, PlanNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  getOperationAST,
  Kind,
  type OperationTypeNode,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql';
import type { Entity } from './entity.js';
import type { FetchEnvironment } from './fetch.js';
import { lazily } from './lazily.js';
import { compileRepresentation } from './representation.js';
import { compileRewrites } from './rewrites.js';
import { type IsIncluded, includedBy } from './selections.js';

export interface Fetched {
  service: string;
  path: readonly (string | number)[];
  /** Of which root the selection is, where it is not one of entities. */
  kind: OperationTypeNode;
  selectionSet: SelectionSetNode;
  /** The fetch that it is a part of. */
  node: FetchNode;
  /** What the variables of `@skip` and `@include` have to be for it to be sent. */
  conditions: readonly { variable: string; value: boolean }[];
}

/** A place in an answer without its list indexes: the names that clients gave to fields. */
export type Names = readonly string[];

export const namesOf = (place: readonly (string | number)[]): string[] =>
  place.filter((step) => typeof step === 'string');

/** What of a plan is fetched for one way in which `@skip` and `@include` fall out. */
export interface Asking {
  /** The fetches that select what stands at a place. */
  fetchesOf(names: Names): readonly Fetched[];
  /** The places of what a fetch shows of the objects that it asks about, for what stands at a place. */
  needsOf(fetch: Fetched, names: Names): readonly Names[];
  /** Whether a fetch asks an object of its own for what stands at a place. */
  asks(fetch: Fetched, object: Entity, names: Names): boolean;
}

/** Compiles what is known about a plan where an answer is not as it should be. */
export function compileAsking(
  fetched: () => readonly Fetched[],
  clientNames: ReadonlyMap<string, string>,
  { types, partsOf, hasKey }: Pick<FetchEnvironment, 'types' | 'partsOf' | 'hasKey'>,
): (values: ReadonlyMap<string, boolean>) => Asking {
  const clientName = (name: string) => clientNames.get(name) ?? name;
  return (values) => {
    const isIncluded = includedBy(values);
    const known = new Map<string, readonly Fetched[]>();
    const partsByNode = new Map<FetchNode, (object: Entity) => FetchNode | undefined>();
    /** What a fetch asks an object for; found out once for all objects. */
    const partFor = ({ path, node }: Fetched, object: Entity): FetchNode | undefined => {
      const partBy = partsByNode.get(node) ?? partsOf(node, path)?.by(isIncluded) ?? (() => node);
      partsByNode.set(node, partBy);
      return partBy(object);
    };
    const isSent = ({ conditions }: Fetched) =>
      conditions.every(({ variable, value }) => values.get(variable) === value);
    return {
      fetchesOf(names) {
        const key = names.join();
        const found =
          known.get(key) ??
          fetched().filter((one) => isSent(one) && selects(one, names, clientName, isIncluded));
        known.set(key, found);
        return found;
      },
      needsOf({ path, node }, names) {
        const start = fieldsOfPath(path).map(clientName);
        const others = partsOf(node, path)?.forOthers((name) => clientName(name) === names[start.length]);
        return leavesOf(node.requires ?? [])
          .filter((leaf) => !others?.has(leaf.join('.')))
          .map((leaf) => [...start, ...leaf]);
      },
      asks(fetch, object, names) {
        const part = partFor(fetch, object);
        if (!part || !isShown(part, object, { types, hasKey })) return false;
        const flat: PlanNode = { kind: 'Flatten', path: [...fetch.path], node: part };
        return fetchedBy(flat, []).some((one) => selects(one, names, clientName, isIncluded));
      },
    };
  };
}

/** The fields that a fetch requires, but the names of types: every fetch has those. Of an object there may be no more. */
export const leavesOf = (requires: readonly QueryPlanSelectionNode[]): string[][] =>
  requires.flatMap((selection) => {
    if (selection.kind === 'InlineFragment') return leavesOf(selection.selections);
    const name = selection.alias ?? selection.name;
    if (!selection.selections) return name === '__typename' ? [] : [[name]];
    const leaves = leavesOf(selection.selections);
    return leaves.length > 0 ? leaves.map((leaf) => [name, ...leaf]) : [[name]];
  });

/**
 * The subgraph that answered a place of the answer, or that should have, where an object lacks what belongs there.
 * Undefined where it cannot be told.
 */
export function blame(
  { fetchesOf, asks }: Asking,
  place: readonly (string | number)[],
  lacking?: Entity,
): string | undefined {
  const holder = place.findLastIndex((step) => typeof step === 'string');
  const names = namesOf(place);
  const isAsked = (one: Fetched) => !lacking || one.path.length !== holder || asks(one, lacking, names);
  const services = new Set(
    fetchesOf(names)
      .filter(isAsked)
      .map(({ service }) => service),
  );
  // What several fetched may be of either.
  return services.size === 1 ? [...services][0] : undefined;
}

/** Whether a fetch asks for an object: it does not, where the object has not what it takes to ask. */
function isShown(
  node: FetchNode,
  object: Entity,
  { types, hasKey }: Pick<FetchEnvironment, 'types' | 'hasKey'>,
): boolean {
  if (!node.requires) return true;
  const rewrite = compileRewrites(node.inputRewrites, types.isType);
  try {
    const { keyOf } = compileRepresentation(node.requires, types, rewrite, (...of) =>
      hasKey(node.serviceName, ...of),
    );
    return keyOf(object) !== undefined;
  } catch {
    return false;
  }
}

/** What is selected by the fetches of a plan, and where; looked for when it is first asked for. */
export const lazilyFetched = (...nodes: readonly (PlanNode | undefined)[]): (() => readonly Fetched[]) =>
  lazily(() => nodes.flatMap((node) => (node ? fetchedBy(node, []) : [])));

function fetchedBy(node: PlanNode, path: Fetched['path'], conditions: Fetched['conditions'] = []): Fetched[] {
  switch (node.kind) {
    case 'Fetch': {
      const operation = getOperationAST(named(node));
      if (!operation) return [];
      const { operation: kind, selectionSet } = operation;
      const fetched = { service: node.serviceName, path, kind, selectionSet, node, conditions };
      return node.requires
        ? below(selectionSet, '_entities').map((inner) => ({ ...fetched, selectionSet: inner }))
        : [fetched];
    }
    case 'Flatten':
      return fetchedBy(node.node, [...path, ...node.path], conditions);
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap((inner) => fetchedBy(inner, path, conditions));
    case 'Condition': {
      const branch = (inner: PlanNode | undefined, value: boolean) =>
        inner ? fetchedBy(inner, path, [...conditions, { variable: node.condition, value }]) : [];
      return [...branch(node.ifClause, true), ...branch(node.elseClause, false)];
    }
    case 'Defer':
      return [];
  }
}

/** The document of a fetch, with the names that its fields have once they are received. */
function named({ operation, outputRewrites = [] }: FetchNode): DocumentNode {
  const document = parse(operation, { noLocation: true });
  const names = new Map(
    outputRewrites.flatMap((rewrite) =>
      rewrite.kind === 'KeyRenamer' ? [[rewrite.path.at(-1), rewrite.renameKeyTo]] : [],
    ),
  );
  if (names.size === 0) return document;
  return visit(document, {
    Field(field) {
      const value = names.get(field.alias?.value);
      return value === undefined ? undefined : { ...field, alias: { kind: Kind.NAME, value } };
    },
  });
}

/** Whether a fetch selects what stands at a place. */
export function selects(
  { path, selectionSet }: Fetched,
  place: Names,
  clientName: (name: string) => string = (name) => name,
  isIncluded: IsIncluded = () => true,
): boolean {
  const start = fieldsOfPath(path);
  const names = place.slice(start.length);
  if (names.length === 0 || !start.every((step, at) => clientName(step) === place[at])) return false;
  let sets: readonly SelectionSetNode[] = [selectionSet];
  for (const [at, name] of names.entries()) {
    const found = sets.flatMap((set) => fieldsOf(set, name, clientName, isIncluded));
    if (found.length === 0) return false;
    if (at === names.length - 1) return true;
    sets = found.flatMap((inner) => inner ?? []);
  }
  return false;
}

/** The path of a fetch without what stands for the elements of lists. */
export const fieldsOfPath = (path: Fetched['path']): string[] =>
  path.flatMap((step) => (step === '@' ? [] : String(step)));

/** What is selected of a field, whatever the conditions. */
export const below = (set: SelectionSetNode, name: string): SelectionSetNode[] =>
  fieldsOf(
    set,
    name,
    (same) => same,
    () => true,
  ).flatMap((inner) => inner ?? []);

/** What is selected below each field of this response name; undefined for a leaf. Plans have no named fragments. */
function fieldsOf(
  { selections }: SelectionSetNode,
  name: string,
  clientName: (name: string) => string,
  isIncluded: IsIncluded,
): (SelectionSetNode | undefined)[] {
  return selections.flatMap((selection) => {
    if (!isIncluded(selection)) return [];
    if (selection.kind === Kind.FIELD)
      return clientName((selection.alias ?? selection.name).value) === name ? [selection.selectionSet] : [];
    return selection.kind === Kind.INLINE_FRAGMENT
      ? fieldsOf(selection.selectionSet, name, clientName, isIncluded)
      : [];
  });
}
