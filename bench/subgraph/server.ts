/** One way of answering the order subgraph's fetches, in a process of its own: `server.ts <way>`, started by index.ts. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { createLocalJWKSet } from 'jose';
import type { Principal } from '../../platform/auth/principal.js';
import { createTokenVerifier } from '../../platform/auth/tokens.js';
import { createLocalStore } from '../../platform/cache/store.js';
import { createHttpServer, listen } from '../../platform/http.js';
import { createLog } from '../../platform/log.js';
import { money } from '../../platform/money.js';
import { projectPath } from '../../platform/root.js';
import type { RequestContext } from '../../platform/subgraph/define.js';
import { startGraphQL } from '../../platform/subgraph/graphql.js';
import type { Context } from '../../subgraphs/order/context.js';
import { createLoaders, createProducts, createReads } from '../../subgraphs/order/reads.js';
import { resolvers } from '../../subgraphs/order/resolvers.js';
import { memory } from './memory.js';
import { ways } from './ways.js';

const way = ways.find((name) => name === process.argv[2]);
if (!way || !process.send) throw new Error('it is started by index.ts');
const verifier = createTokenVerifier(createLocalJWKSet(JSON.parse(process.env['JWKS'] ?? '')));
const log = createLog({ level: 'silent', format: 'json', app: 'bench' });

const reads = createReads(memory);
const catalogue = createProducts(memory, createLocalStore());
const context = (principal: Principal | null) =>
  ({ principal, reader: memory, loaders: createLoaders(memory, reads, catalogue) }) as Context;
const schema = buildSubgraphSchema({
  typeDefs: parse(await readFile(projectPath('subgraphs', 'order', 'schema.graphql'), 'utf8')),
  resolvers: resolvers as never,
});

/** Apollo Server as its documentation starts it. */
async function standalone(): Promise<number> {
  const server = new ApolloServer<RequestContext>({ schema });
  const { url } = await startStandaloneServer(server, {
    listen: { host: '127.0.0.1', port: 0 },
    context: async ({ req }) => context(await verifier.verify(req.headers.authorization)),
  });
  return Number(new URL(url).port);
}

async function ours(executor: 'apollo' | 'doorstep'): Promise<number> {
  const http = createHttpServer({
    ...{ service: 'order', log, readTimeoutMs: 15_000, writeTimeoutMs: 15_000, missing: () => [] },
  });
  const { handler } = await startGraphQL({ executor, service: 'order', schema, verifier, context, log });
  http.route({ method: ['GET', 'POST'], url: '/graphql', handler });
  return listen(http, { host: '127.0.0.1', port: 0 });
}

/** The same answer by hand: the same token, rows and JSON, and no GraphQL. */
async function floor(): Promise<number> {
  const server = createServer(async (request, response) => {
    const { variables } = JSON.parse(await text(request)) as {
      variables: { representations: { id: string }[] };
    };
    const { loaders } = context(await verifier.verify(request.headers.authorization));
    const entities = variables.representations.map(async ({ id }) => {
      const row = await loaders.order.load(id);
      if (!row) return null;
      const items = (await loaders.items.load(id)).map(async ({ quantity, priceCents, productId }) => {
        const product = await loaders.product.load(productId);
        if (!product) return null;
        return {
          quantity,
          price: money(priceCents),
          product: { id: product.id, name: product.name, price: money(product.priceCents) },
        };
      });
      return {
        status: row.status,
        deliveryAddress: row.deliveryAddress,
        createdAt: row.createdAt.toISOString(),
        total: money(row.totalCents),
        items: await Promise.all(items),
      };
    });
    const body = JSON.stringify({ data: { _entities: await Promise.all(entities) } });
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const start = { standalone, apollo: () => ours('apollo'), doorstep: () => ours('doorstep'), floor };
const port = await start[way]();
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit());
process.send({ port });
