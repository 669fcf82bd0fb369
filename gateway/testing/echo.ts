import { composeServices } from '@apollo/composition';
import type { Gateway } from '../index.js';
import { startTestGateway } from './gateway.js';
import { startSubgraph, subgraphSdl } from './subgraph.js';

/** A gateway to a subgraph that answers `Query.echo`, whose arguments are these, with them as JSON. */
export async function startEchoGateway(args: string): Promise<Pick<Gateway, 'url' | 'stop'>> {
  const sdl = `scalar Any  type Query { echo(${args}): String }`;
  const echo = (_: unknown, given: object) => JSON.stringify(given);
  const subgraph = await startSubgraph({ name: 'echoes', sdl, resolvers: { Query: { echo } } });
  const { supergraphSdl = '' } = composeServices([
    { name: 'echoes', url: subgraph.url, typeDefs: subgraphSdl(sdl) },
  ]);
  const gateway = await startTestGateway({ supergraph: supergraphSdl });
  return {
    url: gateway.url,
    async stop() {
      await gateway.stop();
      await subgraph.stop();
    },
  };
}
