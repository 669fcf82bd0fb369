import { composeServices } from '@apollo/composition';
import { GraphQLError } from 'graphql';
import { type Channel, channel } from './channel.js';
import { type SubgraphContext, startSubgraph, subgraphSdl, type TestSubgraph } from './subgraph.js';

const books = /* GraphQL */ `
  type Book @key(fields: "id") { id: ID!  title: String!  pages(format: String = "paper"): Int  author: Author  strictAuthor: Author! }
  type Magazine { id: ID!  title: String!  issue: Int! }
  union Item = Book | Magazine
  type Author @key(fields: "id") { id: ID! }
  type Whoami { authorization: String  requestId: String }
  input Filter { shelf: String!  limit: Int }
  type Query { book(id: ID!): Book  books: [Book!]  items: [Item!]  whoami: Whoami  fails(code: String): String  find(filter: Filter!): [Book!] }
  type Mutation { rename(id: ID!, title: String!): Book }
  type Subscription {
    bookAdded(shelf: String): Book!
    maybeBook: Book
    itemAdded: Item
    refused(code: String!): Book
    tokenSeen: String
    never: Book
  }
`;

const authors = /* GraphQL */ `
  type Author @key(fields: "id") { id: ID!  name: String!  born: Int  token: String }
  type Query { author(id: ID!): Author  authors: [Author!] }
`;

/** The supergraph of the tests: books, and their authors in another subgraph. Routing urls lead nowhere. */
export function librarySupergraph(): string {
  const { errors, supergraphSdl } = composeServices([
    { name: 'books', url: 'http://127.0.0.1:1/graphql', typeDefs: subgraphSdl(books) },
    { name: 'authors', url: 'http://127.0.0.1:1/graphql', typeDefs: subgraphSdl(authors) },
  ]);
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}

const titles = new Map([
  ['1', 'Kim'],
  ['2', 'Emma'],
  ['3', 'Ulysses'],
]);
const book = (id: string) => ({
  __typename: 'Book',
  id,
  title: titles.get(id),
  author: { id: `a${id}` },
  strictAuthor: { id: `a${id}` },
});

export interface Library {
  books: TestSubgraph;
  authors: TestSubgraph;
  urls: Record<string, string>;
  /** What the subscriptions of books give: push an event, end it, or fail it. */
  events: Channel<Record<string, unknown>>;
  /** Arguments that subscriptions of books were called with. */
  calls: { shelf?: string | null }[];
  /** Ids of the authors that were fetched. */
  fetched: string[];
}

export async function startBooks(
  library: Pick<Library, 'events' | 'calls'>,
  port?: number,
): Promise<TestSubgraph> {
  const { events, calls } = library;
  return startSubgraph({
    name: 'books',
    sdl: books,
    ...(port !== undefined && { port }),
    resolvers: {
      Book: {
        __resolveReference: ({ id }: { id: string }) => (titles.has(id) ? book(id) : null),
        pages: (_book: unknown, { format }: { format: string }) => (format === 'paper' ? 100 : 200),
      },
      Query: {
        book: (_: unknown, { id }: { id: string }) => (titles.has(id) ? book(id) : null),
        books: () => [...titles.keys()].map(book),
        items: () => [book('1'), { __typename: 'Magazine', id: 'm', title: 'Time', issue: 7 }],
        whoami: (_: unknown, _args: unknown, context: SubgraphContext) => context,
        fails: (_: unknown, { code }: { code?: string }) => {
          if (!code) throw new Error('connect ECONNREFUSED 10.0.0.7:5432');
          throw new GraphQLError('No.', {
            extensions: { code, field: 'input.title', http: { status: 418 } },
          });
        },
        find: () => [book('1')],
      },
      Mutation: {
        rename: (_: unknown, { id, title }: { id: string; title: string }) => ({ ...book(id), title }),
      },
      Subscription: {
        bookAdded: {
          subscribe(_: unknown, args: { shelf?: string | null }) {
            calls.push(args);
            return events.subscribe();
          },
        },
        maybeBook: { subscribe: () => events.subscribe() },
        itemAdded: { subscribe: () => events.subscribe() },
        never: { subscribe: () => events.subscribe() },
        refused: {
          subscribe: (_: unknown, { code }: { code: string }) => {
            throw new GraphQLError('Not you.', {
              extensions: { code, field: 'code', stacktrace: ['at secret.ts'] },
            });
          },
        },
        tokenSeen: {
          async *subscribe(_: unknown, _args: unknown, context: SubgraphContext) {
            if (!context.authorization)
              throw new GraphQLError('Log in first.', { extensions: { code: 'UNAUTHENTICATED' } });
            yield { tokenSeen: context.authorization };
          },
        },
      },
    },
  });
}

export function startAuthors(library: Pick<Library, 'fetched'>, port?: number): Promise<TestSubgraph> {
  const author = (id: string) => (id === 'gone' ? null : { id, name: `Author ${id}`, born: 1900 });
  return startSubgraph({
    name: 'authors',
    sdl: authors,
    ...(port !== undefined && { port }),
    resolvers: {
      Author: {
        __resolveReference({ id }: { id: string }) {
          library.fetched.push(id);
          return author(id);
        },
        token: (_: unknown, _args: unknown, { authorization }: SubgraphContext) => authorization,
      },
      Query: { author: (_: unknown, { id }: { id: string }) => author(id), authors: () => [author('a1')] },
    },
  });
}

/** Both subgraphs, running. */
export async function startLibrary(): Promise<Library> {
  const parts = { events: channel<Record<string, unknown>>(), calls: [], fetched: [] };
  const [booksServer, authorsServer] = await Promise.all([startBooks(parts), startAuthors(parts)]);
  return {
    ...parts,
    books: booksServer,
    authors: authorsServer,
    urls: { books: booksServer.url, authors: authorsServer.url },
  };
}
