import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql } from 'graphql';
import { silent } from '../../platform/testing/log.js';
import { contextOf } from '../context.js';
import { createCompiledEngine } from '../execute/compiled.js';
import type { Outcome } from '../execute/engine.js';
import type { Entity } from '../execute/entity.js';
import type { SubgraphSource } from '../execute/source.js';
import type { SubgraphAnswer } from '../execute/subgraph-answer.js';
import { loadSupergraph } from '../supergraph.js';
import { subgraphSdl } from './subgraph.js';

/** A subgraph that takes whatever it is asked: `answer` says what it answers to a document. */
export interface Answering {
  sdl: string;
  answer: (body: {
    query: string;
    variables?: Record<string, unknown>;
  }) => SubgraphAnswer | Promise<SubgraphAnswer>;
}

type Resolvers = NonNullable<
  Extract<Parameters<typeof buildSubgraphSchema>[0], { resolvers?: unknown }>['resolvers']
>;

/** A subgraph of which resolvers say what it answers, in this process. */
export function resolving(sdl: string, resolvers: Resolvers): Answering {
  const schema = buildSubgraphSchema([{ typeDefs: subgraphSdl(sdl), resolvers }]);
  return {
    sdl,
    async answer({ query, variables }) {
      const { data, errors } = await graphql({
        schema,
        source: query,
        ...(variables && { variableValues: variables }),
      });
      return { data: data as Entity, ...(errors && { errors: errors.map((error) => error.toJSON()) }) };
    },
  };
}

/** The supergraph of such subgraphs, with no network between. */
export function composed(subgraphs: Record<string, Answering>) {
  const url = 'http://127.0.0.1:1/graphql';
  const { supergraphSdl, errors } = composeServices(
    Object.entries(subgraphs).map(([name, { sdl }]) => ({ name, url, typeDefs: subgraphSdl(sdl) })),
  );
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  const sources = new Map(
    Object.entries(subgraphs).map(([name, { answer }]): [string, SubgraphSource] => [
      name,
      { fetch: async ({ body }) => answer(JSON.parse(body)) },
    ]),
  );
  return { graph: loadSupergraph(supergraphSdl), sources, introspection: true };
}

/** Our executor on such subgraphs: it asks a query. */
export function engineOn(
  subgraphs: Record<string, Answering>,
): (query: string, operationName?: string) => Promise<Outcome> {
  const engine = createCompiledEngine({ ...composed(subgraphs), log: silent });
  return (query, operationName) =>
    engine.execute({ query, operationName, variables: {}, method: 'POST' }, contextOf(null, undefined));
}
