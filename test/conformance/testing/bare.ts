import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, type GraphQLSchema } from 'graphql';
import type { ServerOptions } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, type ServerOptions as WebSocketOptions, WebSocketServer } from 'ws';
import type { Target } from '../target.js';
import { createHistory, type History, type HistoryFaults } from './history.js';

const initTimeoutMs = 1_500;
const slowMs = 40;

const sdl = `
  type Query { hello: String! slow: Int! }
  type Mutation { change(of: ID = "shared"): Int! }
  type Subscription { changed(of: ID = "shared", after: String): Change! counted(to: Int!): Int! }
  type Change { cursor: String! value: Int! whole: Boolean }`;

/** How a server differs from graphql-ws as everybody has it. */
export interface Differences {
  /** Options of graphql-ws. */
  protocol?: Partial<ServerOptions>;
  /** Options of ws. */
  sockets?: WebSocketOptions;
  history?: HistoryFaults;
  /** Whether a field of each event fails. */
  partial?: boolean;
  /** Gets each socket before graphql-ws does. */
  tamper?: (socket: WebSocket, all: ReadonlySet<WebSocket>) => void;
  chooseProtocol?: (offered: Set<string>) => string | false;
}

export interface BareServer {
  target: Target;
  /** A stream that all share who ask for it, as a caller's document is. */
  sharedStream: NonNullable<Target['stream']>;
  stop(): Promise<void>;
}

/** graphql-ws as everybody has it, on a free port, with a schema that has something for every audit. */
export async function startBare(differences: Differences = {}): Promise<BareServer> {
  const { tamper, chooseProtocol } = differences;
  const histories = new Map<string, History>();
  const historyOf = (name: string): History => {
    const history = histories.get(name) ?? createHistory(differences.history);
    histories.set(name, history);
    return history;
  };
  const http = createServer();
  const sockets = new WebSocketServer({ ...differences.sockets, server: http, path: '/graphql' });
  if (tamper) sockets.on('connection', (socket) => tamper(socket, sockets.clients));
  const served = useServer(
    {
      schema: schemaOf(historyOf, differences.partial ?? false),
      connectionInitWaitTimeout: initTimeoutMs,
      onConnect: ({ connectionParams }) => connectionParams?.['authorization'] !== 'wrong',
      ...differences.protocol,
    },
    sockets,
  );
  if (chooseProtocol) sockets.options.handleProtocols = chooseProtocol;
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');

  let streams = 0;
  const stream = async (of: string) => ({
    operation: {
      query:
        'subscription ($of: ID!, $after: String) { changed(of: $of, after: $after) { cursor value whole } }',
      variables: { of },
    },
    change: async () => historyOf(of).change(),
    resume: { path: 'changed.cursor', variable: 'after' },
  });
  return {
    target: {
      url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`,
      headers: {},
      init: { authorization: 'right' },
      refusedInit: { authorization: 'wrong' },
      query: { query: '{ hello }' },
      mutation: { query: 'mutation { __typename }' },
      slowQuery: { query: '{ slow }' },
      stream: () => stream(`${++streams}`),
      finite: async () => ({ query: 'subscription { counted(to: 3) }' }),
      patienceMs: 10_000,
      initTimeoutMs: 10_000,
    },
    sharedStream: () => stream('shared'),
    async stop() {
      for (const client of sockets.clients) client.terminate();
      await served.dispose();
      http.close().closeAllConnections();
    },
  };
}

function schemaOf(historyOf: (name: string) => History, partial: boolean): GraphQLSchema {
  const schema = buildSchema(sdl);
  const field = (type: string, name: string) => {
    const found = (schema.getType(type) as ReturnType<GraphQLSchema['getQueryType']>)?.getFields()[name];
    if (!found) throw new Error(`the schema has no ${type}.${name}`);
    return found;
  };
  field('Query', 'hello').resolve = () => 'world';
  field('Query', 'slow').resolve = () => new Promise((resolve) => setTimeout(resolve, slowMs, 1));
  field('Mutation', 'change').resolve = (_, { of }) => historyOf(of).change();
  Object.assign(field('Subscription', 'changed'), {
    subscribe: (_: unknown, { of, after }: { of: string; after?: string | null }) =>
      historyOf(of).watch(after),
    resolve: (change: unknown) => change,
  });
  Object.assign(field('Subscription', 'counted'), {
    async *subscribe(_: unknown, { to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield n;
    },
    resolve: (count: unknown) => count,
  });
  field('Change', 'whole').resolve = () => {
    if (partial) throw new Error('its service is away');
    return true;
  };
  return schema;
}
