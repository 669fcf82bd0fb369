import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { type PlanNode, QueryPlanner, type SubscriptionNode } from '@apollo/query-planner';
import { parse } from 'graphql';
import type { BenchQuery } from './queries.js';

/** One fetch of a plan: whom it asks, what, and where in the answer what comes belongs (`orders.@.customer`). */
export interface PlannedFetch {
  subgraph: string;
  path: string;
  operation: string;
}

/**
 * What Apollo's planner would fetch for a query.
 * @throws Error where that is another number of fetches than the query says
 */
export function planFetches(supergraphSdl: string, query: BenchQuery): PlannedFetch[] {
  const supergraph = Supergraph.build(supergraphSdl);
  const operation = operationFromDocument(supergraph.apiSchema(), parse(query.query));
  const { node } = new QueryPlanner(supergraph).buildQueryPlan(operation);
  const fetches = [...fetchesIn(node)];
  if (fetches.length !== query.fetches)
    throw new Error(`${query.name} is planned as ${fetches.length} fetches, not ${query.fetches}`);
  return fetches;
}

function* fetchesIn(node: PlanNode | SubscriptionNode | undefined, path = ''): Generator<PlannedFetch> {
  if (node?.kind === 'Fetch') yield { subgraph: node.serviceName, path, operation: node.operation };
  else if (node?.kind === 'Flatten') yield* fetchesIn(node.node, node.path.join('.'));
  else if (node?.kind === 'Sequence' || node?.kind === 'Parallel')
    for (const inner of node.nodes) yield* fetchesIn(inner, path);
  else if (node) throw new Error(`a ${node.kind} in the plan, which nothing here asks for`);
}
