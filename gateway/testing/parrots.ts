import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { composeServices } from '@apollo/composition';
import { type Answer, post, startTestGateway } from './gateway.js';
import { subgraphSdl } from './subgraph.js';

const catalog = /* GraphQL */ `
  scalar Any
  enum Colour { RED BLUE }
  type Thing @key(fields: "id") {
    id: ID!  n: Int  ratio: Float  any: Any  list: [String!]  colour: Colour  next: Thing
  }
  type Other { x: Int }
  union Either = Thing | Other
  type Query { thing: Thing  things: [Thing]  either: Either  count: Int }
`;
const notes = /* GraphQL */ `
  type Thing @key(fields: "id") { id: ID!  note: String  strict: String! }
  type Query { notes: Int }
`;

function supergraph(): string {
  const { errors, supergraphSdl } = composeServices(
    Object.entries({ catalog, notes }).map(([name, sdl]) => ({
      name,
      url: 'http://127.0.0.1:1/graphql',
      typeDefs: subgraphSdl(sdl),
    })),
  );
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}

/** What a subgraph answers, word for word. */
interface Words {
  text: string;
  status?: number;
  type?: string;
}

export interface Parrots {
  /** Puts a query to the gateway, whose subgraphs answer this. The answer is 200, and tells no address. */
  ask(query: string, catalog: string, notes?: string | Words): Promise<Answer>;
  stop(): Promise<void>;
}

/** A gateway on things, and on their notes in another subgraph, both of which say what they are told to say. */
export async function startParrots(): Promise<Parrots> {
  const words: Record<string, Words> = {};
  const servers = await Promise.all(['catalog', 'notes'].map((name) => startParrot(() => words[name])));
  const [catalogUrl = '', notesUrl = ''] = servers.map(({ url }) => url);
  const gateway = await startTestGateway({
    supergraph: supergraph(),
    subgraphUrls: { catalog: catalogUrl, notes: notesUrl },
  });
  return {
    async ask(query, catalogSays, notesSay = '') {
      words['catalog'] = { text: catalogSays };
      words['notes'] = typeof notesSay === 'string' ? { text: notesSay } : notesSay;
      const answer = await post(gateway, query);
      const { status, body } = answer;
      if (status !== 200) throw new Error(`HTTP ${status} ${JSON.stringify(body).slice(0, 200)}`);
      if (JSON.stringify(body).includes('127.0.0.1')) throw new Error('the answer tells an address');
      return answer;
    },
    async stop() {
      await gateway.stop();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function startParrot(words: () => Words | undefined) {
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.end('{"status":"ready"}');
    const { text = '', status = 200, type = 'application/json' } = words() ?? {};
    request.resume().on('end', () => response.writeHead(status, { 'content-type': type }).end(text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A thing of the catalog, with these fields as JSON. */
export const thing = (id: string, fields = ''): string =>
  `{"__typename":"Thing","id":"${id}"${fields && `,${fields}`}}`;
/** An answer of the catalog: two of them. */
export const two = `{"data":{"things":[${thing('1', '"n":1')},${thing('2', '"n":2')}]}}`;
/** A query that takes both subgraphs. */
export const joined = '{ things { n note } }';

export const deepList = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
export const deepObject = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
