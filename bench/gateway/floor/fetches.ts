import type { PlannedFetch } from '../plan.js';
import type { QueryName } from '../queries.js';

/** What the floor is told of: where the subgraphs are, and what Apollo's planner fetches for each query. */
export interface FloorFetches {
  urls: Record<string, string>;
  fetches: Record<QueryName, PlannedFetch[]>;
}
