import type { PlanNode } from '@apollo/query-planner';
import { type GraphQLFormattedError, getOperationAST, Kind, parse, type SelectionSetNode } from 'graphql';
import type { Missing } from './completion.js';
import type { Entity } from './entity.js';
import type { Run } from './fetch.js';

/** Whether something may be missing that nobody has given a reason for. A fetch that failed is a reason for all that comes after it. */
export const mayLackReasons = ({ errors, context }: Run): boolean =>
  !context.cancellation?.isCancelled && errors.every(({ path }) => path !== undefined);

/** A step on the way to what is missing. */
interface Step {
  next: Map<string | number, Step>;
  /** Whether an error is below. */
  isAbove: boolean;
  /** Whether an error is here. */
  isEnd: boolean;
}

const stepOf = (): Step => ({ next: new Map(), isAbove: false, isEnd: false });

/**
 * Of what is missing, that of which no error tells: none at its place, nor below it, where it was nothing to a
 * subgraph for what it lacked itself, nor above. An entity that a subgraph does not know is missing for no reason,
 * and that is no fault. Subgraphs choose the paths of their errors: each is followed as far as something is missing.
 */
export function unexplained(
  missing: readonly Missing[],
  errors: readonly GraphQLFormattedError[],
  untold: ReadonlySet<Entity>,
): Missing[] {
  const root = stepOf();
  const ways = missing.map(({ path }) => [root, ...addWay(root, path)]);
  for (const { path = [] } of errors) {
    let here: Step | undefined = root;
    for (const name of path) {
      here.isAbove = true;
      here = here.next.get(name);
      if (!here) break;
    }
    if (here) here.isEnd = true;
  }
  return missing.filter(({ within }, index) => {
    const way = ways[index] as Step[];
    return !(within && untold.has(within)) && !way.at(-1)?.isAbove && !way.some(({ isEnd }) => isEnd);
  });
}

function addWay(root: Step, path: readonly (string | number)[]): Step[] {
  let here = root;
  return path.map((name) => {
    const next = here.next.get(name) ?? stepOf();
    here.next.set(name, next);
    here = next;
    return next;
  });
}

/**
 * The response names at the root that several subgraphs answer at once. Where one of them knows the object and the
 * other does not, parts of it are missing, and nobody has broken his word.
 */
export function answeredBySeveral(plan: PlanNode | undefined): ReadonlySet<string> {
  const services = new Map<string, Set<string>>();
  const visit = (node: PlanNode | undefined): void => {
    if (!node) return;
    if (node.kind === 'Sequence' || node.kind === 'Parallel') for (const each of node.nodes) visit(each);
    else if (node.kind === 'Condition') for (const each of [node.ifClause, node.elseClause]) visit(each);
    else if (node.kind === 'Fetch' && !node.requires) {
      for (const name of rootNames(node.operation)) {
        const known = services.get(name) ?? new Set();
        services.set(name, known.add(node.serviceName));
      }
    }
  };
  visit(plan);
  return new Set([...services].flatMap(([name, by]) => (by.size > 1 ? name : [])));
}

const rootNames = (operation: string): string[] =>
  namesOf(getOperationAST(parse(operation, { noLocation: true }))?.selectionSet);

const namesOf = (set: SelectionSetNode | undefined): string[] =>
  (set?.selections ?? []).flatMap((node) => {
    if (node.kind === Kind.FIELD) return (node.alias ?? node.name).value;
    return node.kind === Kind.INLINE_FRAGMENT ? namesOf(node.selectionSet) : [];
  });
