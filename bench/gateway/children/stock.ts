/**
 * Apollo as its manual has it: Apollo Server's own HTTP server, ApolloGateway, and a data source that passes the
 * token on. `node stock.js supergraph port [undici]`; with `undici` the data source is the shortest one on
 * undici's Pool that does the same.
 */
import { readFileSync } from 'node:fs';
import { ApolloGateway, type GraphQLDataSource, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { Pool } from 'undici';

interface Context {
  authorization?: string | undefined;
}

const [supergraph = '', port, kind] = process.argv.slice(2);

const asShipped = (url: string): GraphQLDataSource<Context> =>
  new RemoteGraphQLDataSource<Context>({
    url,
    willSendRequest({ request, context }) {
      if (context.authorization) request.http?.headers.set('authorization', context.authorization);
    },
  });

function onUndici(url: string): GraphQLDataSource<Context> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 64 });
  return {
    async process({ request: { query, variables }, context }) {
      const { body } = await pool.request({
        path: pathname,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(context.authorization && { authorization: context.authorization }),
        },
        body: JSON.stringify({ query, variables }),
      });
      return body.json() as Promise<{ data?: Record<string, unknown> }>;
    },
  };
}

const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(supergraph, 'utf8'),
  buildService: ({ url = '' }) => (kind === 'undici' ? onUndici(url) : asShipped(url)),
});
const server = new ApolloServer<Context>({ gateway });
await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(port) },
  context: async ({ req }) => ({ authorization: req.headers.authorization }),
});
