import { entityQueries } from './queries/entities.js';
import { languageQueries } from './queries/language.js';
import { mutationQueries } from './queries/mutations.js';
import { requirementQueries } from './queries/requirements.js';
import { typeQueries } from './queries/types.js';

/**
 * A query written by hand: what it is about, and its text, with its variables where it has some. Where the answer of
 * ApolloGateway is wrong, the right one is written beside it.
 */
export type NamedQuery = readonly [
  name: string,
  query: string,
  variables?: Record<string, unknown> | undefined,
  right?: { data: unknown } | { refusal: string },
];

/** All of them, by feature. */
export const namedQueries: Readonly<Record<string, readonly NamedQuery[]>> = {
  entities: entityQueries,
  requirements: requirementQueries,
  'abstract types': typeQueries,
  language: languageQueries,
  mutations: mutationQueries,
};
