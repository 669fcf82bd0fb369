import { operationFromDocument, type Supergraph } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, GraphQLError } from 'graphql';
import { problem } from '../../../platform/errors.js';
import type { LoadedSupergraph } from '../../supergraph.js';
import { withConditionsOnFields, withConditionsOnTypes } from './conditions.js';
import { withoutContradictions } from './contradictions.js';
import { withMembersApart } from './members.js';
import { withConditionsApart, withoutIntrospection, withoutLeftOut } from './plannable.js';

/**
 * So many ways to fetch an operation are compared, of the tens of thousands that there may be: nobody is served
 * meanwhile, and more of them find a plan that is a hundredth shorter.
 */
const maxEvaluatedPlans = 1_000;

/**
 * So many ways to reach one field are looked at. They multiply with each step through an interface that subgraphs have
 * as an object: some thousands take seconds, and a text of two lines can have as many as fill the memory.
 */
const pathsLimit = 2_000;
/** An array of the planner has at most so many elements when it is made. */
const mostCombinations = 5 * pathsLimit;
/** How errors of the planner about too many ways begin. */
const tooManyOptions = 'Too many options';

/** Apollo's planner of a supergraph; `ways` to fetch an operation are compared. */
export const createPlanner = (supergraph: Supergraph, ways = maxEvaluatedPlans): QueryPlanner =>
  new QueryPlanner(supergraph, { debug: { maxEvaluatedPlans: ways, pathsLimit } });

/** Planners that take the first way that they find, made when they are needed first. */
const hasty = new WeakMap<Supergraph, QueryPlanner>();

function hastyPlanner(supergraph: Supergraph): QueryPlanner {
  const planner = hasty.get(supergraph) ?? createPlanner(supergraph, 1);
  hasty.set(supergraph, planner);
  return planner;
}

/**
 * Runs Apollo's planner so that it makes no array that is far longer than its limit of ways. It multiplies the ways to each
 * type of an interface in one array before it looks at that limit: a text of one line can have as many as fill the memory,
 * and nothing but the array's length tells. Planning is one synchronous call: nobody else meets this constructor.
 */
function limited<T>(run: () => T): T {
  const Whole = globalThis.Array;
  function Limited(...given: unknown[]): unknown[] {
    if (given.length === 1 && Number(given[0]) > mostCombinations) throw new Error(tooManyOptions);
    return Whole(...given);
  }
  globalThis.Array = Object.defineProperties(
    Limited,
    Object.getOwnPropertyDescriptors(Whole),
  ) as ArrayConstructor;
  try {
    return run();
  } finally {
    globalThis.Array = Whole;
  }
}

/**
 * Apollo's plan of an operation, or why there is none. Where it cannot read the document as it is best planned (a
 * condition of a fragment of its own below an interface object, for one), that of the document with conditions elsewhere.
 */
export function planOf(
  planner: QueryPlanner,
  { apiSchema, clientSchema, needs }: LoadedSupergraph,
  document: DocumentNode,
  name: string | undefined,
): QueryPlan | GraphQLError {
  const build = (given: DocumentNode): QueryPlan => {
    const operation = operationFromDocument(
      apiSchema,
      given,
      name === undefined ? {} : { operationName: name },
    );
    const planBy = (one: QueryPlanner) => limited(() => one.buildQueryPlan(operation));
    try {
      return planBy(planner);
    } catch (error) {
      // One of the ways that it compares has fetches that wait for each other: it fails for all, the good ones too.
      if (!messageOf(error).endsWith('would create a cycle')) throw error;
      return planBy(hastyPlanner(planner.supergraph));
    }
  };
  const form = () =>
    withMembersApart(
      withoutContradictions(withoutLeftOut(withoutIntrospection(document))),
      clientSchema,
      needs.veils,
    );
  const ways = [
    () => withConditionsOnTypes(withConditionsApart(form(), needs), clientSchema, needs.veils),
    form,
    () => withConditionsOnFields(form(), clientSchema, needs.veils),
  ];
  let refusal: GraphQLError | undefined;
  for (const way of ways) {
    try {
      return build(way());
    } catch (error) {
      const message = messageOf(error);
      refusal ??= message.startsWith(tooManyOptions) ? tooManyWays() : refusalBy(error);
      if (!message.startsWith('Cannot add selection')) break;
    }
  }
  return refusal ?? refusalBy(undefined);
}

const messageOf = (error: unknown): string => (error as Partial<Error>).message ?? '';

/** Why an operation cannot be run: a fault in planning costs its operation only, where a throw would cost a socket. */
export const refusalBy = (error: unknown): GraphQLError =>
  error instanceof GraphQLError
    ? error
    : new GraphQLError('planning failed', { originalError: error as Error });

const tooManyWays = (): GraphQLError =>
  problem(
    'QUERY_TOO_COMPLEX',
    'There are too many ways to fetch what stands that deep: ask for it in several operations, nearer to their roots.',
  );
