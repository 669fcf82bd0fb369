import { buildSchema, type GraphQLFieldResolver, type GraphQLObjectType } from 'graphql';
import type { Principal } from '../auth/principal.js';
import { createRights } from '../auth/rights.js';
import { createHttpServer, listen } from '../http.js';
import { serveSockets } from '../sockets.js';
import { subgraphOperations } from '../subgraph/subscriptions.js';
import { silent } from './log.js';
import { createTokens } from './tokens.js';

/** What its resolvers get: made anew for each operation and each event. */
export interface TestContext {
  principal: Principal | null;
  serial: number;
}

type Resolver = GraphQLFieldResolver<unknown, TestContext>;
interface Resolvers {
  Query?: Record<string, Resolver>;
  Subscription?: Record<string, { subscribe: Resolver; resolve: Resolver }>;
}

/** A schema that is served as subgraphs serve theirs, over WebSocket alone, on a free port. */
export async function serveSchema(sdl: string, resolvers: Resolvers) {
  const schema = buildSchema(sdl);
  for (const [type, fields] of Object.entries(resolvers)) {
    const known = (schema.getType(type) as GraphQLObjectType).getFields();
    for (const [name, field] of Object.entries(fields)) {
      Object.assign(known[name] ?? {}, typeof field === 'function' ? { resolve: field } : field);
    }
  }
  const tokens = await createTokens();
  const rights = createRights();
  let serial = 0;
  const http = createHttpServer({
    service: 'test',
    log: silent,
    readTimeoutMs: 15_000,
    writeTimeoutMs: 15_000,
    missing: () => [],
  });
  const port = await listen(http, { host: '127.0.0.1', port: 0 });
  const sockets = serveSockets({
    rights,
    tellsRights: true,
    server: http.server,
    service: 'test',
    verifier: tokens.verifier,
    log: silent,
    operations: subgraphOperations({
      rights,
      executor: process.env['SUBGRAPH_EXECUTOR'] === 'apollo' ? 'apollo' : 'doorstep',
      service: 'test',
      schema,
      verifier: tokens.verifier,
      context: (principal): TestContext => {
        serial += 1;
        return { principal, serial };
      },
    }),
  });
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    sockets,
    tokens,
    rights,
    async close() {
      await sockets.close();
      await http.close();
    },
  };
}
