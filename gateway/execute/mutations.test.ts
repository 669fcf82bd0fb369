import { composeServices } from '@apollo/composition';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { post, startTestGateway } from '../testing/gateway.js';
import { startSubgraph, subgraphSdl, type TestSubgraph } from '../testing/subgraph.js';

const reviews = `type Product @key(fields: "id") { id: ID! }
  type Query { reviews: Int }
  type Mutation { review(id: ID!): Product }`;
const inventory = `type Product @key(fields: "id") { id: ID!  stock: Int }
  type Query { inventory: Int }
  type Mutation { setStock(to: Int!): Int }`;

let stock = 1;
let subgraphs: TestSubgraph[];
let gateway: Gateway;
beforeAll(async () => {
  const product = ({ id }: { id: string }) => ({ id, stock });
  subgraphs = await Promise.all([
    startSubgraph({
      name: 'reviews',
      sdl: reviews,
      resolvers: { Mutation: { review: (_: unknown, { id }: { id: string }) => ({ id }) } },
    }),
    startSubgraph({
      name: 'inventory',
      sdl: inventory,
      resolvers: {
        Product: { __resolveReference: product },
        Mutation: {
          setStock(_: unknown, { to }: { to: number }) {
            stock = to;
            return to;
          },
        },
      },
    }),
  ]);
  const services = [reviews, inventory].map((sdl, index) => {
    const { name, url } = subgraphs[index] as TestSubgraph;
    return { name, url, typeDefs: subgraphSdl(sdl) };
  });
  const { supergraphSdl = '' } = composeServices(services);
  gateway = await startTestGateway({ supergraph: supergraphSdl });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all(subgraphs.map((subgraph) => subgraph.stop()));
});

test('a field of a mutation sees what the fields before it have changed', async () => {
  const { body } = await post(
    gateway,
    'mutation { before: review(id: 1) { stock } setStock(to: 7) after: review(id: 1) { stock } }',
  );
  expect(body).toEqual({ data: { before: { stock: 1 }, setStock: 7, after: { stock: 7 } } });
});
