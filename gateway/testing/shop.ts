import { composeServices } from '@apollo/composition';
import { type Channel, channel } from './channel.js';
import { startSubgraph, subgraphSdl, type TestSubgraph } from './subgraph.js';

type Row = Record<string, unknown>;

const sdl = {
  books: `type Book @key(fields: "id") { id: ID!  title: String!  author: Author }
    type Author @key(fields: "id", resolvable: false) { id: ID! }
    type Query { book(id: ID!): Book }
    type Subscription { bookAdded: Book! }`,
  authors: 'type Author @key(fields: "id") { id: ID!  name: String! }',
  authorsBorn: 'type Author @key(fields: "id") { id: ID!  name: String!  born: Int }',
  reviews: `type Book @key(fields: "id") { id: ID!  stars: Int }
    type Subscription { reviewed: Book! }`,
};

/** A shop whose supergraph changes: its subgraphs know all of it from the start. */
export interface Shop {
  books: TestSubgraph;
  authors: TestSubgraph;
  /** The authors at another address; names tell which of the two answered. */
  movedAuthors: TestSubgraph;
  reviews: TestSubgraph;
  added: Channel<Row>;
  reviewed: Channel<Row>;
  stop(): Promise<void>;
  /** Composes them. */
  supergraph(parts?: { born?: boolean; reviews?: boolean; moved?: boolean }): string;
}

export async function startShop(): Promise<Shop> {
  const [added, reviewed] = [channel<Row>(), channel<Row>()];
  const book = ({ id }: { id: string }) => ({ id, title: `Book ${id}`, author: { id: 'a' } });
  const authorsOf = (name: string) =>
    startSubgraph({
      name: 'authors',
      sdl: sdl.authorsBorn,
      resolvers: { Author: { __resolveReference: ({ id }: { id: string }) => ({ id, name, born: 1900 }) } },
    });
  const [books, authors, movedAuthors, reviews] = await Promise.all([
    startSubgraph({
      name: 'books',
      sdl: sdl.books,
      resolvers: {
        Book: { __resolveReference: book },
        Query: { book: (_: unknown, args: { id: string }) => book(args) },
        Subscription: { bookAdded: { subscribe: () => added.subscribe() } },
      },
    }),
    authorsOf('Ann'),
    authorsOf('Ann, moved'),
    startSubgraph({
      name: 'reviews',
      // A subgraph alone has to have queries.
      sdl: `${sdl.reviews} type Query { reviews: Int }`,
      resolvers: {
        Book: { __resolveReference: ({ id }: { id: string }) => ({ id, stars: 5 }), stars: () => 5 },
        Subscription: { reviewed: { subscribe: () => reviewed.subscribe() } },
      },
    }),
  ]);
  const all = [books, authors, movedAuthors, reviews];
  return {
    ...{ books, authors, movedAuthors, reviews, added, reviewed },
    stop: async () => void (await Promise.all(all.map((subgraph) => subgraph.stop()))),
    supergraph: ({ born = false, moved = false, reviews: withReviews = false } = {}) =>
      compose([
        ['books', books.url, sdl.books],
        ['authors', (moved ? movedAuthors : authors).url, born ? sdl.authorsBorn : sdl.authors],
        ...(withReviews ? ([['reviews', reviews.url, sdl.reviews]] as const) : []),
      ]),
  };
}

function compose(subgraphs: (readonly [name: string, url: string, sdl: string])[]): string {
  const { errors, supergraphSdl } = composeServices(
    subgraphs.map(([name, url, text]) => ({ name, url, typeDefs: subgraphSdl(text) })),
  );
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}
