/**
 * The stock gateway, as the documentation of Apollo Server and of Apollo Gateway has it: standalone, the data
 * source that comes with it, and the client's token passed on. Beside that only what Doorstep's own has too is
 * set: no signals, no reports. PORT, SUPERGRAPH_PATH and SUBGRAPH_URLS as for `bin/doorstep gateway`.
 */
import { readFile } from 'node:fs/promises';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { withoutProtection } from '../../platform/graphql/protecting.js';

interface Context {
  authorization?: string | undefined;
}

class TokenDataSource extends RemoteGraphQLDataSource<Context> {
  override willSendRequest(
    options: Parameters<NonNullable<RemoteGraphQLDataSource<Context>['willSendRequest']>>[0],
  ) {
    const { authorization } = options.context;
    if (authorization !== undefined) options.request.http?.headers.set('authorization', authorization);
  }
}

const { PORT = '', SUPERGRAPH_PATH = '', SUBGRAPH_URLS = '{}' } = process.env;
const urls = JSON.parse(SUBGRAPH_URLS) as Record<string, string>;
const server = new ApolloServer<Context>({
  gateway: new ApolloGateway({
    supergraphSdl: withoutProtection(await readFile(SUPERGRAPH_PATH, 'utf8')),
    buildService: ({ name, url = '' }) => new TokenDataSource({ url: urls[name] ?? url }),
  }),
});
await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(PORT) },
  context: async ({ req }) => ({ authorization: req.headers.authorization }),
});
