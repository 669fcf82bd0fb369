import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { type FragmentDefinitionNode, getOperationAST, Kind, parse, type SelectionSetNode } from 'graphql';

/** The subgraph that answered a place of the answer; undefined where it cannot be told. */
export type Blame = (place: readonly (string | number)[]) => string | undefined;

export interface Fetched {
  service: string;
  path: readonly (string | number)[];
  selectionSet: SelectionSetNode;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/**
 * Compiles who is to blame for a wrong value: the subgraph whose fetch selects it. It is not made before the first
 * wrong value comes.
 */
export function compileBlame(
  plan: PlanNode | undefined,
  primary: FetchNode | undefined,
  clientNames: ReadonlyMap<string, string>,
): Blame {
  let known: readonly Fetched[] | undefined;
  const clientName = (name: string) => clientNames.get(name) ?? name;
  return (place) => {
    known ??= [...(primary ? [primary] : []), ...(plan ? [plan] : [])].flatMap((node) => fetchedBy(node, []));
    const services = new Set(
      known.filter((fetched) => selects(fetched, place, clientName)).map(({ service }) => service),
    );
    // What several fetched may be of either.
    return services.size === 1 ? [...services][0] : undefined;
  };
}

/** What the fetches of a plan select, and where. */
export function fetchedBy(node: PlanNode, path: readonly (string | number)[]): Fetched[] {
  switch (node.kind) {
    case 'Fetch': {
      const document = parse(node.operation, { noLocation: true });
      const fragments = new Map(
        document.definitions.flatMap((definition) =>
          definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
        ),
      );
      const selectionSet = getOperationAST(document)?.selectionSet;
      if (!selectionSet) return [];
      const fetched = { service: node.serviceName, path, selectionSet, fragments };
      return node.requires
        ? below(fetched, '_entities').map((entities) => ({ ...fetched, selectionSet: entities }))
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
    const found = sets.flatMap((selectionSet) => fieldsOf({ ...fetched, selectionSet }, name, clientName));
    if (found.length === 0) return false;
    if (at === names.length - 1) return true;
    sets = found.flatMap((inner) => inner ?? []);
  }
  return false;
}

const below = (fetched: Fetched, name: string): SelectionSetNode[] =>
  fieldsOf(fetched, name, (same) => same).flatMap((inner) => inner ?? []);

/** What is selected below each field of this response name; undefined for a leaf. */
function fieldsOf(
  { selectionSet, fragments }: Pick<Fetched, 'selectionSet' | 'fragments'>,
  name: string,
  clientName: (name: string) => string,
): (SelectionSetNode | undefined)[] {
  return selectionSet.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD)
      return clientName((selection.alias ?? selection.name).value) === name ? [selection.selectionSet] : [];
    const inner =
      selection.kind === Kind.INLINE_FRAGMENT
        ? selection.selectionSet
        : fragments.get(selection.name.value)?.selectionSet;
    return inner ? fieldsOf({ selectionSet: inner, fragments }, name, clientName) : [];
  });
}
