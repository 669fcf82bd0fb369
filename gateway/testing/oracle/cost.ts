import { operationFromDocument } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import { withMembersApart } from '../../execute/planning/members.js';
import { withoutIntrospection } from '../../execute/planning/plannable.js';
import type { LoadedSupergraph } from '../../supergraph.js';

/** So many plans may a query have to choose from; beyond it planning takes seconds, for each executor. */
const mostPlans = 100;

/** Tells queries that are planned quickly from those that are not. */
export function createCostCheck({
  supergraph,
  apiSchema,
  clientSchema,
  needs,
}: LoadedSupergraph): (query: string) => boolean {
  // It leaves out plans until it is below its limit, so that a count above half of it may mean any number.
  const planner = new QueryPlanner(supergraph, { debug: { maxEvaluatedPlans: 2 * mostPlans } });
  return (query) => {
    try {
      const document = withMembersApart(withoutIntrospection(parse(query)), clientSchema, needs.veils);
      planner.buildQueryPlan(operationFromDocument(apiSchema, document));
    } catch {
      // What cannot be planned is worth comparing, too.
      return true;
    }
    return (planner.lastGeneratedPlanStatistics()?.evaluatedPlanCount ?? 0) <= mostPlans;
  };
}
