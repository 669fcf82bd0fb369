import { type Schema, Supergraph } from '@apollo/federation-internals';
import type { GraphQLSchema } from 'graphql';

export interface SubgraphAddress {
  name: string;
  /** Its GraphQL endpoint, http:// or https://. */
  url: string;
}

/** A supergraph SDL, read once into the forms that executing and planning take. */
export interface LoadedSupergraph {
  sdl: string;
  supergraph: Supergraph;
  subgraphs: readonly SubgraphAddress[];
  /** What clients see: for planning, and for validating their documents. */
  apiSchema: Schema;
  clientSchema: GraphQLSchema;
  /** Everything, federation's own directives included. */
  supergraphSchema: GraphQLSchema;
}

/**
 * Reads a supergraph SDL. `urls` replaces addresses that stand in it, by subgraph name.
 * @throws Error where the SDL is no supergraph, where `urls` names a subgraph that it does not have, or
 *   where a subgraph has no address in either
 */
export function loadSupergraph(sdl: string, urls: Record<string, string> = {}): LoadedSupergraph {
  const supergraph = Supergraph.build(sdl);
  const subgraphs = supergraph.subgraphsMetadata().map(({ name, url }) => ({ name, url: urls[name] ?? url }));
  const unknown = Object.keys(urls).find((name) => !subgraphs.some((subgraph) => subgraph.name === name));
  if (unknown !== undefined) throw new Error(`the supergraph has no subgraph '${unknown}'`);
  for (const { name, url } of subgraphs) {
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
      throw new Error(`the subgraph '${name}' has no http:// address`);
  }
  const apiSchema = supergraph.apiSchema();
  return {
    sdl,
    supergraph,
    subgraphs,
    apiSchema,
    clientSchema: apiSchema.toGraphQLJSSchema(),
    supergraphSchema: supergraph.schema.toGraphQLJSSchema(),
  };
}
