import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import type { Principal } from '../auth/principal.js';
import { createRights, heedRights } from '../auth/rights.js';
import type { TokenVerifier } from '../auth/tokens.js';
import type { Bus } from '../bus/bus.js';
import type { Caches } from '../cache/caches.js';
import { type Config, databaseUrl } from '../config.js';
import { startHousekeeping } from '../housekeeping.js';
import { reachable } from '../http.js';
import { Lifecycle } from '../lifecycle.js';
import type { Log } from '../log.js';
import { migrate } from '../migrate.js';
import { startRelay } from '../outbox.js';
import { openDatabase } from '../postgres/database.js';
import { whenReachable } from '../postgres/reach.js';
import { projectPath } from '../root.js';
import { serveSockets } from '../sockets.js';
import type { Worker } from '../worker.js';
import { type DatabaseWatch, watchDatabase } from './database-watch.js';
import type { ClientAddress, RequestContext, SubgraphDefinition } from './define.js';
import { createDoor } from './door.js';
import { freshMutations, remakeable } from './fresh.js';
import { startGraphQL } from './graphql.js';
import type { Peers } from './peers.js';
import { checkRepresentations } from './representations.js';
import { keepRights } from './rights.js';
import { subgraphOperations } from './subscriptions.js';

export interface RunningSubgraph {
  name: string;
  /** Where its GraphQL answers, over HTTP and WebSocket. */
  url: string;
  /** Starts what needs the bus: relay, workers, demo data. Stop what it answers before the bus. */
  run(): Promise<Worker>;
  /** Takes no more requests, and is not ready: the first step of stopping, while all it stands on is there. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

export interface SubgraphOptions {
  config: Config;
  log: Log;
  bus: Bus;
  verifier: TokenVerifier;
  peers: Peers;
  caches: Caches;
  host: string;
  port: number;
  /** How long it goes on taking requests once it leaves, in ms: none unless told. */
  lameDuckMs?: number;
  /** Aborts when stopping begins: it is not ready from then on, and waits for nothing more. */
  signal: AbortSignal;
}

/** Just under what the gateway gives a subgraph for a fetch: nobody waits for the answer any more. */
const statementTimeoutMs = 9_500;
/** No transaction of ours waits for anything but its own statements: one that does has lost its way, with its locks. */
const idleInTransactionMs = 30_000;

/**
 * Starts a subgraph. It listens at once, says at /health/ready what it waits for, and refuses the rest until its
 * database can be reached and is migrated; then this resolves, and GraphQL is answered over HTTP and WebSocket.
 * It is ready once `run` has been called too, while its database answers and the bus delivers.
 */
export async function startSubgraph<App, Context extends RequestContext>(
  definition: SubgraphDefinition<App, Context>,
  options: SubgraphOptions,
): Promise<RunningSubgraph> {
  const { name } = definition;
  const { config, bus, host, signal } = options;
  const log = options.log.child({ service: name });
  const lifecycle = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
  const url = databaseUrl(config, name);
  let watch: DatabaseWatch | undefined;
  let app: App | undefined;
  let running = false;
  let leaving = false;

  function missing(): string[] {
    if (leaving || lifecycle.stopping || signal.aborted) return [`${name}: it is stopping`];
    const parts = [
      ...(watch?.answers ? [] : [`${name}: database`]),
      ...(bus.ready ? [] : [`${name}: ${bus.name}`]),
    ];
    return running || parts.length > 0 ? parts : [name];
  }

  return lifecycle.begin(async () => {
    const door = createDoor({
      service: name,
      log,
      readTimeoutMs: config.SERVER_READ_TIMEOUT,
      writeTimeoutMs: config.SERVER_WRITE_TIMEOUT,
      lameDuckMs: options.lameDuckMs,
      missing,
      degraded: () => options.caches.missing().map((part) => `${name}: ${part}`),
      routes: (http) => definition.routes?.(() => app as App, http),
    });
    const leave = () => {
      leaving = true;
      return door.close();
    };
    const port = await lifecycle.start('port', () => door.listen({ host, port: options.port }), leave);
    log.info({ port }, 'listening');

    const whenDatabaseAnswers = <T>(work: () => Promise<T>) => whenReachable({ url, log, signal, work });
    await whenDatabaseAnswers(() =>
      migrate({
        url,
        directory: projectPath('prisma', name, 'migrations'),
        service: name,
        log: (line) => log.info(line),
        signal,
      }),
    );
    const database = await lifecycle.start(
      'database',
      () => openDatabase({ url, service: name, statementTimeoutMs, idleInTransactionMs }),
      (opened) => opened.close(),
    );
    watch = await lifecycle.start(
      'database watch',
      () => watchDatabase({ url, service: name, log }),
      (started) => started.stop(),
    );
    const opened = await lifecycle.start(
      'app',
      () => definition.open({ config, log, database, bus, peers: options.peers, caches: options.caches }),
      (it) => definition.close?.(it),
    );
    app = opened;
    for (const consumer of definition.consumers(opened)) bus.consume(consumer);
    const rights = createRights();
    const verifier = heedRights(options.verifier, rights);
    const { rights: source } = definition;
    if (source)
      await lifecycle.start(
        'rights',
        () => whenDatabaseAnswers(() => keepRights({ source, rights, database, bus, log })),
        (keeping) => keeping.stop(),
      );

    const schema = freshMutations(
      checkRepresentations(
        buildSubgraphSchema({
          typeDefs: parse(await readFile(projectPath('subgraphs', name, 'schema.graphql'), 'utf8')),
          resolvers: definition.resolvers,
        }),
      ),
    );
    const executor = config.SUBGRAPH_EXECUTOR;
    const context = remakeable((principal: Principal | null, address: ClientAddress) =>
      definition.context(opened, principal, address),
    );
    const graphql = await lifecycle.start(
      'graphql',
      () =>
        startGraphQL({
          ...{ executor, service: name, schema, verifier, context, log },
        }),
      (started) => started.stop(),
    );
    const operations = subgraphOperations({ executor, service: name, schema, verifier, context, rights });
    const inside = {
      graphql: graphql.handler,
      serveSockets: (server: Server) =>
        serveSockets({ server, service: name, verifier, log, operations, rights, tellsRights: true }),
    };
    // Once more, as the last part: it has to be closed before what it opens to.
    await lifecycle.start('door', () => door.open(inside), leave);

    async function run(): Promise<Worker> {
      const workers = new Lifecycle({ log, timeoutMs: config.SHUTDOWN_TIMEOUT });
      await workers.begin(async () => {
        await workers.start(
          'relay',
          () => startRelay({ service: name, database, bus, log, batchSize: config.KAFKA_BATCH_SIZE }),
          (relay) => relay.stop(),
        );
        await workers.start(
          'housekeeping',
          () => startHousekeeping({ database, log }),
          (it) => it.stop(),
        );
        await workers.start(
          'workers',
          () => whenDatabaseAnswers(async () => (await definition.run?.(opened)) ?? []),
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
    }

    return {
      name,
      url: `http://${reachable(host)}:${port}/graphql`,
      run,
      leave,
      stop: async () => void (await lifecycle.stop()),
    };
  });
}
