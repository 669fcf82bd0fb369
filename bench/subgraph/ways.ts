/** The ways of answering that are compared, the slowest first. */
export const ways = ['standalone', 'apollo', 'doorstep', 'floor'] as const;
export type Way = (typeof ways)[number];

export const titles: Record<Way, string> = {
  standalone: 'Apollo Server standalone',
  apollo: 'SUBGRAPH_EXECUTOR=apollo',
  doorstep: 'SUBGRAPH_EXECUTOR=doorstep',
  floor: 'plain http, no GraphQL',
};
