import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

/**
 * The subgraphs that are asked, in the words of Federation 1: composition takes these as readily as Federation
 * 2's, and Mercurius knows no others.
 */
export const subgraphs = {
  orders: /* GraphQL */ `
    extend type Query { order(id: ID!): Order  orders(first: Int!): [Order!]! }
    enum OrderStatus { PENDING PAID COMPLETED CANCELLED }
    type Order @key(fields: "id") {
      id: ID!
      number: String!
      status: OrderStatus!
      placedAt: String!
      note: String
      total: OrderTotal!
      customer: User!
      items: [OrderItem!]!
    }
    type OrderTotal { amount: String!  currency: String!  discount: String }
    type OrderItem { quantity: Int!  price: String!  product: Product! }
    extend type User @key(fields: "id") { id: ID! @external }
    extend type Product @key(fields: "id") { id: ID! @external }
  `,
  users: /* GraphQL */ `
    extend type Query { me: User }
    type User @key(fields: "id") {
      id: ID!
      name: String!
      email: String!
      phone: String
      memberSince: Int!
      address: Address
    }
    type Address { street: String!  city: String!  zip: String! }
  `,
  catalog: /* GraphQL */ `
    extend type Query { topProducts(first: Int!): [Product!]! }
    type Product @key(fields: "id") {
      id: ID!
      title: String!
      inStock: Boolean!
      weight: Float
      price: Price!
      seller: User!
      store: Store!
    }
    type Price { amount: String!  currency: String! }
    extend type User @key(fields: "id") { id: ID! @external }
    extend type Store @key(fields: "id") { id: ID! @external }
  `,
  reviews: /* GraphQL */ `
    extend type Product @key(fields: "id") { id: ID! @external  rating: Float  reviews: [Review!]! }
    type Review { id: ID!  stars: Int!  text: String!  author: User! }
    extend type User @key(fields: "id") { id: ID! @external }
  `,
  deliveries: /* GraphQL */ `
    extend type Order @key(fields: "id") { id: ID! @external  delivery: Delivery }
    type Delivery { id: ID!  state: String!  minutesLeft: Int  courier: User!  pickup: Store! }
    extend type User @key(fields: "id") { id: ID! @external }
    extend type Store @key(fields: "id") { id: ID! @external }
  `,
  stores: /* GraphQL */ `
    extend type Query { store(id: ID!): Store }
    type Store @key(fields: "id") { id: ID!  name: String!  city: String!  opens: String!  closes: String! }
  `,
} as const;

export type SubgraphName = keyof typeof subgraphs;
export const subgraphNames = Object.keys(subgraphs) as SubgraphName[];

/** The supergraph's SDL, with these addresses in it. */
export function composeSupergraph(urls: Record<string, string>): string {
  const services = subgraphNames.map((name) => ({
    name,
    url: urls[name] ?? '',
    typeDefs: parse(subgraphs[name]),
  }));
  const { errors, supergraphSdl } = composeServices(services);
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}
