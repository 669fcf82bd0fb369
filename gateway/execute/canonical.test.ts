import { composeServices } from '@apollo/composition';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { post, startTestGateway } from '../testing/gateway.js';
import { startSubgraph, subgraphSdl, type TestSubgraph } from '../testing/subgraph.js';

type Row = { id: string };

const sdl = {
  orders: `type Product @key(fields: "id") { id: ID! }
    type Order @key(fields: "id") { id: ID!  product: Product @shareable }
    type Query { orders: [Order!] }`,
  // To it a product is part of an order, and its note that of the order.
  notes: `type Product { note: String }
    type Order @key(fields: "id") { id: ID!  product: Product @shareable }
    type Query { notes: Int }`,
  products: `type Product @key(fields: "id") { id: ID!  name: String }
    type Query { products: Int }`,
};

let subgraphs: TestSubgraph[];
let gateway: Gateway;
beforeAll(async () => {
  const orders = ['1', '2'].map((id) => ({ id, product: { id: 'p' } }));
  subgraphs = await Promise.all([
    startSubgraph({ name: 'orders', sdl: sdl.orders, resolvers: { Query: { orders: () => orders } } }),
    startSubgraph({
      name: 'notes',
      sdl: sdl.notes,
      resolvers: { Order: { __resolveReference: ({ id }: Row) => ({ id, product: { note: `of ${id}` } }) } },
    }),
    startSubgraph({
      name: 'products',
      sdl: sdl.products,
      resolvers: { Product: { __resolveReference: ({ id }: Row) => ({ id, name: `Product ${id}` }) } },
    }),
  ]);
  const { supergraphSdl = '' } = composeServices(
    Object.values(sdl).map((text, index) => {
      const { name, url } = subgraphs[index] as TestSubgraph;
      return { name, url, typeDefs: subgraphSdl(text) };
    }),
  );
  gateway = await startTestGateway({ supergraph: supergraphSdl });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all(subgraphs.map((subgraph) => subgraph.stop()));
});

test('what is answered of one entity by what holds it stays with its holder', async () => {
  const { body } = await post(gateway, '{ orders { product { name note } } }');
  expect(body).toEqual({
    data: {
      orders: [
        { product: { name: 'Product p', note: 'of 1' } },
        { product: { name: 'Product p', note: 'of 2' } },
      ],
    },
  });
});
