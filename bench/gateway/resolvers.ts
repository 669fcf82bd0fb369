import type { buildSubgraphSchema } from '@apollo/subgraph';
import {
  deliveryOf,
  firstOrders,
  order,
  product,
  reviewsOf,
  store,
  topProducts,
  user,
  userId,
} from './data.js';
import type { SubgraphName } from './schema.js';

type Module = Extract<Parameters<typeof buildSubgraphSchema>[0], readonly unknown[]>[number];
type Resolvers = NonNullable<Extract<Module, { typeDefs: unknown }>['resolvers']>;
interface ById {
  id: string;
}
interface ByCount {
  first: number;
}

const entity = (find: (id: string) => unknown) => ({ __resolveReference: ({ id }: ById) => find(id) });

/** The rest is read from what these answer, by graphql-js itself. */
export const resolvers: Record<SubgraphName, Resolvers> = {
  orders: {
    Query: {
      order: (_: unknown, { id }: ById) => order(id),
      orders: (_: unknown, { first }: ByCount) => firstOrders(first),
    },
    Order: entity(order),
  },
  users: { Query: { me: () => user(userId(3)) }, User: entity(user) },
  catalog: {
    Query: { topProducts: (_: unknown, { first }: ByCount) => topProducts(first) },
    Product: entity(product),
  },
  reviews: { Product: entity(reviewsOf) },
  deliveries: { Order: entity(deliveryOf) },
  stores: { Query: { store: (_: unknown, { id }: ById) => store(id) }, Store: entity(store) },
};
