import { readFile } from 'node:fs/promises';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { parse } from 'graphql';
import type { TokenVerifier } from '../auth/tokens.js';
import type { Bus } from '../bus/bus.js';
import { type Config, databaseUrl } from '../config.js';
import { errorFormatter } from '../graphql/errors.js';
import { startHousekeeping } from '../housekeeping.js';
import { createHttpServer, listen, serveMetrics } from '../http.js';
import { Lifecycle } from '../lifecycle.js';
import type { Log } from '../log.js';
import { migrate } from '../migrate.js';
import { startRelay } from '../outbox.js';
import { openDatabase } from '../postgres/database.js';
import { projectPath } from '../root.js';
import { serveSockets } from '../sockets.js';
import type { Worker } from '../worker.js';
import { watchDatabase } from './database-watch.js';
import type { RequestContext, SubgraphDefinition } from './define.js';
import { subgraphOperations } from './subscriptions.js';

export interface RunningSubgraph {
  name: string;
  /** Where its GraphQL answers, over HTTP and WebSocket. */
  url: string;
  /** Starts what needs the bus: relay, workers, demo data. Stop what it answers before the bus. */
  run(): Promise<Worker>;
  stop(): Promise<void>;
}

export interface SubgraphOptions {
  config: Config;
  log: Log;
  bus: Bus;
  verifier: TokenVerifier;
  host: string;
  port: number;
  /** Ends what the start waits for. */
  signal?: AbortSignal;
}

/** Just under what the gateway gives a subgraph for a fetch: nobody waits for the answer any more. */
const statementTimeoutMs = 9_500;
/** No transaction of ours waits for anything but its own statements: one that does has lost its way, with its locks. */
const idleInTransactionMs = 30_000;

/**
 * Starts a subgraph: database and migrations, then its consumers, then one port with GraphQL (HTTP and
 * WebSocket), health and metrics. It is ready once `run` has been called too, while its database answers
 * and the bus delivers.
 */
export async function startSubgraph<App, Context extends RequestContext>(
  definition: SubgraphDefinition<App, Context>,
  options: SubgraphOptions,
): Promise<RunningSubgraph> {
  const { name } = definition;
  const { config, bus, verifier, host, signal } = options;
  const log = options.log.child({ service: name });
  const lifecycle = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
  const url = databaseUrl(config, name);
  let running = false;
  return lifecycle.begin(async () => {
    await migrate({
      url,
      directory: projectPath('prisma', name, 'migrations'),
      service: name,
      log: (line) => log.info(line),
      ...(signal && { signal }),
    });
    const database = await lifecycle.start(
      'database',
      () => openDatabase({ url, service: name, statementTimeoutMs, idleInTransactionMs }),
      (opened) => opened.close(),
    );
    const watch = await lifecycle.start(
      'database watch',
      () => watchDatabase({ url, service: name, log }),
      (started) => started.stop(),
    );
    const app = await lifecycle.start(
      'app',
      () => definition.open({ config, log, database, bus }),
      (opened) => definition.close?.(opened),
    );
    for (const consumer of definition.consumers(app)) bus.consume(consumer);

    const schema = buildSubgraphSchema({
      typeDefs: parse(await readFile(projectPath('subgraphs', name, 'schema.graphql'), 'utf8')),
      resolvers: definition.resolvers,
    });
    const apollo = new ApolloServer<Context>({
      schema,
      formatError: errorFormatter(name, log),
      includeStacktraceInErrorResponses: false,
      introspection: true,
      stopOnTerminationSignals: false,
      plugins: [ApolloServerPluginLandingPageDisabled(), ApolloServerPluginInlineTraceDisabled()],
      logger: log,
    });
    await lifecycle.start(
      'graphql',
      () => apollo.start(),
      () => apollo.stop(),
    );

    const http = createHttpServer({
      service: name,
      log,
      readTimeoutMs: config.SERVER_READ_TIMEOUT,
      writeTimeoutMs: config.SERVER_WRITE_TIMEOUT,
      missing: () => {
        if (!running || lifecycle.stopping) return [name];
        return [...(watch.answers ? [] : [`${name}: database`]), ...(bus.ready ? [] : [`${name}: bus`])];
      },
    });
    serveMetrics(http);
    http.route({
      method: ['GET', 'POST'],
      url: '/graphql',
      handler: fastifyApolloHandler(apollo, {
        context: async ({ headers }) => definition.context(app, await verifier.verify(headers.authorization)),
      }),
    });
    definition.routes?.(app, http);
    const port = await lifecycle.start(
      'http',
      () => listen(http, { host, port: options.port }),
      () => http.close(),
    );
    await lifecycle.start(
      'sockets',
      () =>
        serveSockets({
          server: http.server,
          service: name,
          verifier,
          log,
          operations: subgraphOperations({
            service: name,
            schema,
            verifier,
            context: (principal) => definition.context(app, principal),
          }),
        }),
      (sockets) => sockets.close(),
    );

    return {
      name,
      url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}/graphql`,
      async run() {
        const workers = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
        await workers.begin(async () => {
          await workers.start(
            'relay',
            () => startRelay({ service: name, database, bus, log }),
            (relay) => relay.stop(),
          );
          await workers.start(
            'housekeeping',
            () => startHousekeeping({ database, log }),
            (it) => it.stop(),
          );
          await workers.start(
            'workers',
            async () => (await definition.run?.(app)) ?? [],
            async (started) => void (await Promise.all(started.map((worker) => worker.stop()))),
          );
        });
        running = true;
        return {
          async stop() {
            running = false;
            await workers.stop();
          },
        };
      },
      stop: async () => void (await lifecycle.stop()),
    };
  });
}
