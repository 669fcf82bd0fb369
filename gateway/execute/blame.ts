import type { FetchNode, PlanNode } from '@apollo/query-planner';
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
import { compileRepresentation, type Types } from './representation.js';
import { compileRewrites } from './rewrites.js';

/**
 * The subgraph that answered a place of the answer, or that should have, where an object lacks what belongs there.
 * Undefined where it cannot be told.
 */
export type Blame = (place: readonly (string | number)[], lacking?: Entity) => string | undefined;

export interface Fetched {
  service: string;
  path: readonly (string | number)[];
  /** Of which root the selection is, where it is not one of entities. */
  kind: OperationTypeNode;
  selectionSet: SelectionSetNode;
  /** The fetch that it is a part of. */
  node: FetchNode;
}

/**
 * Compiles who is to blame for a wrong value: the subgraph whose fetch selects it. It is not made before the first
 * wrong value comes.
 */
export function compileBlame(
  fetched: () => readonly Fetched[],
  clientNames: ReadonlyMap<string, string>,
  types: Types,
): Blame {
  const clientName = (name: string) => clientNames.get(name) ?? name;
  return (place, lacking) => {
    const holder = place.findLastIndex((step) => typeof step === 'string');
    const isAsked = (one: Fetched) => !lacking || one.path.length !== holder || asks(one, lacking, types);
    const services = new Set(
      fetched()
        .filter((one) => selects(one, place, clientName) && isAsked(one))
        .map(({ service }) => service),
    );
    // What several fetched may be of either.
    return services.size === 1 ? [...services][0] : undefined;
  };
}

/** Whether a fetch asks for an object: it does not, where the object has not what it takes to ask. */
function asks({ node }: Fetched, object: Entity, types: Types): boolean {
  if (!node.requires) return true;
  const rewrite = compileRewrites(node.inputRewrites, types.isType);
  try {
    return compileRepresentation(node.requires, types, rewrite).keyOf(object) !== undefined;
  } catch {
    return false;
  }
}

/** What is selected by the fetches of a plan, and where; looked for when it is first asked for. */
export function lazilyFetched(...nodes: readonly (PlanNode | undefined)[]): () => readonly Fetched[] {
  let known: readonly Fetched[] | undefined;
  return () => {
    known ??= nodes.flatMap((node) => (node ? fetchedBy(node, []) : []));
    return known;
  };
}

function fetchedBy(node: PlanNode, path: readonly (string | number)[]): Fetched[] {
  switch (node.kind) {
    case 'Fetch': {
      const operation = getOperationAST(named(node));
      if (!operation) return [];
      const { operation: kind, selectionSet } = operation;
      const fetched = { service: node.serviceName, path, kind, selectionSet, node };
      return node.requires
        ? below(selectionSet, '_entities').map((inner) => ({ ...fetched, selectionSet: inner }))
        : [fetched];
    }
    case 'Flatten':
      return fetchedBy(node.node, [...path, ...node.path]);
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap((inner) => fetchedBy(inner, path));
    case 'Condition':
      return [node.ifClause, node.elseClause].flatMap((inner) => (inner ? fetchedBy(inner, path) : []));
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

/** Whether a fetch selects what stands at a place, of which the elements of lists are no part. */
export function selects(
  fetched: Fetched,
  place: readonly (string | number)[],
  clientName: (name: string) => string = (name) => name,
): boolean {
  const { path } = fetched;
  const leads = path.every((step, at) =>
    step === '@' ? typeof place[at] === 'number' : clientName(String(step)) === place[at],
  );
  const names = place.slice(path.length).filter((step) => typeof step === 'string');
  if (!leads || names.length === 0) return false;
  let sets: readonly SelectionSetNode[] = [fetched.selectionSet];
  for (const [at, name] of names.entries()) {
    const found = sets.flatMap((set) => fieldsOf(set, name, clientName));
    if (found.length === 0) return false;
    if (at === names.length - 1) return true;
    sets = found.flatMap((inner) => inner ?? []);
  }
  return false;
}

const below = (set: SelectionSetNode, name: string): SelectionSetNode[] =>
  fieldsOf(set, name, (same) => same).flatMap((inner) => inner ?? []);

/** What is selected below each field of this response name; undefined for a leaf. Plans have no named fragments. */
function fieldsOf(
  { selections }: SelectionSetNode,
  name: string,
  clientName: (name: string) => string,
): (SelectionSetNode | undefined)[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD)
      return clientName((selection.alias ?? selection.name).value) === name ? [selection.selectionSet] : [];
    return selection.kind === Kind.INLINE_FRAGMENT ? fieldsOf(selection.selectionSet, name, clientName) : [];
  });
}
