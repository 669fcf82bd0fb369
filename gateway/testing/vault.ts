import { composeServices } from '@apollo/composition';
import { type Channel, channel } from './channel.js';
import { startSubgraph, subgraphSdl, type TestSubgraph } from './subgraph.js';

const items = /* GraphQL */ `
  scalar Secret @requiresScopes(scopes: [["staff"]])
  interface Thing { id: ID!  label: String  weight: Int }
  type Book implements Thing & Sized @key(fields: "id") { id: ID!  label: String  weight: Int @authenticated  size: Int }
  type Coin implements Thing @key(fields: "id") { id: ID!  label: String @requiresScopes(scopes: [["staff"]])  weight: Int }
  interface Precious { label: String }
  type Gem implements Precious @key(fields: "id") @policy(policies: [["role:COURIER"], ["role:ADMIN"]]) { id: ID!  label: String }
  interface Sized { size: Int }
  union Found = Book | Gem
  type Item @key(fields: "id") {
    id: ID!
    name: String
    owner: String! @authenticated
    price: Int @requiresScopes(scopes: [["staff", "prices"], ["admin"]])
    secret: Secret
    inside: Item
  }
  type Query {
    item(id: ID!): Item
    strict: Item!
    items: [Item]
    mine: [Item!] @authenticated
    things: [Thing]
    precious: [Precious]
    found: [Found]
    sized: [Sized]
    staff: String @requiresScopes(scopes: [["staff"]])
    nobody: String @policy(policies: [["unheard of"]])
  }
  type Mutation {
    open: Int
    sell(id: ID!, price: Int): Item! @requiresScopes(scopes: [["admin"]])
  }
  type Subscription {
    changed: Item
    sold: Item @authenticated
  }
`;

const notes = /* GraphQL */ `
  type Item @key(fields: "id") { id: ID!  note: String @authenticated  public: String }
  type Query { noteCount: Int }
`;

const sources = { items, notes };

/** A supergraph in which not everybody may see everything. */
export function vaultSupergraph(): string {
  const { errors, supergraphSdl } = composeServices(
    Object.entries(sources).map(([name, sdl]) => ({
      name,
      url: 'http://127.0.0.1:1/graphql',
      typeDefs: subgraphSdl(sdl),
    })),
  );
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}

export interface Vault {
  urls: Record<string, string>;
  /** What was asked of the subgraphs, by field; empty it to begin anew. */
  asked: string[];
  changes: Channel<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Its subgraphs, which refuse nothing: what is not to be seen is the gateway's to withhold. */
export async function startVault(): Promise<Vault> {
  const asked: string[] = [];
  const changes = channel<Record<string, unknown>>();
  const told = (name: string, value: unknown) => () => {
    asked.push(name);
    return value;
  };
  const item = (id: string, inside?: unknown) => ({ id, inside });
  const started: TestSubgraph[] = await Promise.all([
    startSubgraph({
      name: 'items',
      sdl: items,
      resolvers: {
        Query: {
          item: (_: unknown, { id }: { id: string }) => (id === 'none' ? null : item(id, item('in'))),
          strict: () => item('s'),
          items: () => [item('1'), null, item('2')],
          mine: told('mine', [item('1')]),
          things: () => [
            { __typename: 'Book', id: 'b' },
            { __typename: 'Coin', id: 'c' },
          ],
          precious: told('precious', [{ __typename: 'Gem', id: 'g' }]),
          found: () => [
            { __typename: 'Book', id: 'b' },
            { __typename: 'Gem', id: 'g' },
          ],
          sized: () => [{ __typename: 'Book', id: 'b', size: 3 }],
          staff: told('staff', 'staff'),
          nobody: told('nobody', 'nobody'),
        },
        Mutation: {
          open: told('open', 1),
          sell: (_: unknown, { id }: { id: string }) => told('sell', item(id))(),
        },
        Subscription: {
          changed: { subscribe: () => changes.subscribe() },
          sold: { subscribe: () => changes.subscribe() },
        },
        Item: {
          __resolveReference: ({ id }: { id: string }) => item(id),
          name: ({ id }: { id: string }) => `item ${id}`,
          owner: told('owner', 'Ann'),
          price: told('price', 5),
          secret: told('secret', 'xyz'),
        },
        Book: { label: () => 'a book', weight: told('Book.weight', 1) },
        Coin: { label: told('Coin.label', 'a coin'), weight: () => 2 },
        Gem: { label: told('Gem.label', 'a gem') },
      },
    }),
    startSubgraph({
      name: 'notes',
      sdl: notes,
      resolvers: {
        Query: { noteCount: () => 1 },
        Item: {
          __resolveReference: ({ id }: { id: string }) => ({ id }),
          note: told('note', 'fragile'),
          public: () => 'open',
        },
      },
    }),
  ]);
  return {
    urls: Object.fromEntries(started.map(({ name, url }) => [name, url])),
    asked,
    changes,
    stop: async () => void (await Promise.all(started.map((one) => one.stop()))),
  };
}
