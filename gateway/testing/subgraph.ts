import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import fastify from 'fastify';
import { type GraphQLSchema, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

type Module = Extract<Parameters<typeof buildSubgraphSchema>[0], readonly unknown[]>[number];
type Resolvers = Extract<Module, { typeDefs: unknown }>['resolvers'];

/** What a resolver of a test's subgraph gets: the token as the gateway passed it on. */
export interface SubgraphContext {
  authorization?: string | undefined;
  requestId?: string | undefined;
}

export interface TestSubgraph {
  name: string;
  url: string;
  port: number;
  /** How many WebSockets it has open. */
  sockets(): number;
  /** How many connections it has open, WebSockets included. */
  connections(): Promise<number>;
  /** How many connections have ever been made to it, how many of them became WebSockets, and how many have ended. */
  counted: { connections: number; sockets: number; ended: number };
  /** Ends every WebSocket without a close frame. */
  cutSockets(): void;
  /** Ends every WebSocket with this code. */
  closeSockets(code: number): void;
  /** Sends a `ping` with this payload over every WebSocket. */
  ping(payload: unknown): void;
  stop(): Promise<void>;
}

const imported = [
  ...['@key', '@shareable', '@external', '@requires', '@provides', '@composeDirective', '@interfaceObject'],
  ...['@authenticated', '@requiresScopes', '@policy', '@cost', '@listSize'],
];
const federation = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ${JSON.stringify(imported)})\n`;

export const subgraphSdl = (sdl: string) => parse(federation + sdl);

/** A real subgraph on a free port: Apollo Server over HTTP, graphql-ws over WebSocket, both at /graphql. */
export async function startSubgraph(options: {
  name: string;
  sdl: string;
  resolvers: Resolvers;
  port?: number;
  /** What each event of a subscription has beside its data. */
  extensions?: () => Record<string, unknown>;
}): Promise<TestSubgraph> {
  const schema: GraphQLSchema = buildSubgraphSchema([
    { typeDefs: subgraphSdl(options.sdl), ...(options.resolvers && { resolvers: options.resolvers }) },
  ]);
  const server = new ApolloServer<SubgraphContext>({
    schema,
    includeStacktraceInErrorResponses: true,
    plugins: [ApolloServerPluginInlineTraceDisabled()],
    stopOnTerminationSignals: false,
  });
  await server.start();
  const app = fastify({ forceCloseConnections: true });
  app.post(
    '/graphql',
    fastifyApolloHandler(server, {
      context: async ({ headers }) => ({
        authorization: headers.authorization,
        requestId: String(headers['x-request-id']),
      }),
    }),
  );
  const sockets = new WebSocketServer({ server: app.server, path: '/graphql' });
  useServer(
    {
      schema,
      context: (_context, _id, payload): SubgraphContext => ({
        authorization: payload.extensions?.['authorization'] as string | undefined,
      }),
      onNext: (_context, _id, _payload, _args, { errors, data, ...result }) =>
        options.extensions && {
          ...result,
          ...(data !== undefined && { data }),
          ...(errors && { errors: errors.map((error) => error.toJSON()) }),
          extensions: options.extensions(),
        },
    },
    sockets,
  );
  const counted = { connections: 0, sockets: 0, ended: 0 };
  app.server.on('connection', (connection) => {
    counted.connections++;
    connection.once('close', () => counted.ended++);
  });
  sockets.on('connection', () => counted.sockets++);
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const { port } = app.server.address() as AddressInfo;
  const each = (action: (socket: import('ws').WebSocket) => void) => {
    for (const socket of sockets.clients) action(socket);
  };
  return {
    name: options.name,
    url: `http://127.0.0.1:${port}/graphql`,
    port,
    sockets: () => sockets.clients.size,
    connections: () => promisify(app.server.getConnections.bind(app.server))(),
    counted,
    cutSockets: () => each((socket) => socket.terminate()),
    ping: (payload) => each((socket) => socket.send(JSON.stringify({ type: 'ping', payload }))),
    closeSockets: (code) => each((socket) => socket.close(code, 'told to')),
    async stop() {
      each((socket) => socket.terminate());
      sockets.close();
      await app.close();
      await server.stop();
    },
  };
}
