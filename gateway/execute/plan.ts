import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { type Fetched, fieldsOfPath, selects } from './blame.js';
import { compileFetch, type FetchEnvironment, nameOfShared, type Step } from './fetch.js';
import type { Path } from './paths.js';

export interface PlanEnvironment extends Omit<FetchEnvironment, 'isShared' | 'isFetchedOnce'> {
  /** What the plan fetches, and what came before it: a subscription's event. */
  fetched: () => readonly Fetched[];
}

/**
 * Compiles a plan to one function; nothing of the plan is looked at again when it runs.
 * @throws Error for `@defer`, for which no planner here makes plans
 */
export function compilePlan(plan: PlanNode | undefined, environment: PlanEnvironment): Step {
  if (!plan) return () => undefined;
  const names = new Set<string>();
  const shared = new Set<string>();
  const fetches = fetchesOf(plan);
  // Between two fields of a mutation an entity may have changed: what was read for one is not the other's.
  const isMutation = fetches.some(({ operationKind }) => operationKind === 'mutation');
  for (const fetch of isMutation ? [] : fetches) {
    if (!fetch.requires) continue;
    const name = nameOfShared(fetch);
    if (names.has(name)) shared.add(name);
    names.add(name);
  }
  const isShared = (node: FetchNode) => shared.has(nameOfShared(node));
  const isFetchedOnce = (path: Path) => {
    const place = fieldsOfPath(path);
    return environment.fetched().filter((one) => selects(one, place)).length < 2;
  };
  return compileNode(plan, [], { ...environment, isShared, isFetchedOnce });
}

function compileNode(node: PlanNode, path: Path, environment: PlanEnvironment & FetchEnvironment): Step {
  const compileAll = (nodes: readonly PlanNode[]) =>
    nodes.map((inner) => compileNode(inner, path, environment));
  switch (node.kind) {
    case 'Fetch':
      return compileFetch(node, path, environment);
    case 'Flatten':
      return compileNode(node.node, [...path, ...node.path], environment);
    case 'Sequence':
      return inTurn(compileAll(node.nodes));
    case 'Parallel':
      return atOnce(compileAll(node.nodes));
    case 'Condition': {
      const [yes, no] = compileAll([
        node.ifClause ?? { kind: 'Sequence', nodes: [] },
        node.elseClause ?? { kind: 'Sequence', nodes: [] },
      ]) as [Step, Step];
      return (run) => (environment.condition(run.variables, node.condition) ? yes(run) : no(run));
    }
    case 'Defer':
      throw new Error('@defer is not supported');
  }
}

const inTurn =
  (steps: readonly Step[]): Step =>
  async (run) => {
    for (const step of steps) {
      // A client that has gone away waits for nothing more.
      if (run.context.cancellation?.isCancelled) return;
      await step(run);
    }
  };

const atOnce =
  (steps: readonly Step[]): Step =>
  async (run) => {
    await Promise.all(steps.map((step) => step(run)));
  };

/** All fetches of a plan, in its order. */
export const fetchesOf = (plan: PlanNode): FetchNode[] =>
  plan.kind === 'Fetch' ? [plan] : childrenOf(plan).flatMap(fetchesOf);

/** The fetches of a plan that may be under way, or still to come, when one of it begins. */
export function fetchesNotBefore(fetch: FetchNode, plan: PlanNode): FetchNode[] {
  const children = childrenOf(plan);
  const index = children.findIndex((child) => fetchesOf(child).includes(fetch));
  const child = children[index];
  if (!child) return [];
  const isLater = (at: number): boolean =>
    plan.kind === 'Sequence' ? at > index : plan.kind === 'Parallel' && at !== index;
  const later = children.filter((_child, at) => isLater(at));
  return [...later.flatMap(fetchesOf), ...fetchesNotBefore(fetch, child)];
}

function childrenOf(plan: PlanNode): readonly PlanNode[] {
  switch (plan.kind) {
    case 'Flatten':
      return [plan.node];
    case 'Sequence':
    case 'Parallel':
      return plan.nodes;
    case 'Condition':
      return [plan.ifClause, plan.elseClause].flatMap((inner) => inner ?? []);
    case 'Fetch':
    case 'Defer':
      return [];
  }
}
