import type { GraphQLSchemaModule } from '@apollo/subgraph/dist/schema-helper/index.js';
import type { FastifyInstance } from 'fastify';
import type { Principal } from '../auth/principal.js';
import type { AnyConsumer, Bus } from '../bus/bus.js';
import type { Caches } from '../cache/caches.js';
import type { Config, ServiceName } from '../config.js';
import type { Log } from '../log.js';
import type { Database } from '../postgres/database.js';
import type { Worker } from '../worker.js';
import type { Peers } from './peers.js';
import type { RightsSource } from './rights.js';

/** What a service stands on. */
export interface Platform {
  config: Config;
  log: Log;
  database: Database;
  bus: Bus;
  peers: Peers;
  caches: Caches;
}

/** The network address of the client, as the gateway tells it: good for counting, and no identity. */
export type ClientAddress = () => string | undefined;

/** What every resolver is told about the request it answers. */
export interface RequestContext {
  principal: Principal | null;
}

/**
 * A subgraph in one value. `App` is what lives as long as the service; `Context` is made anew for each
 * request, for each field of a mutation and for each event of a subscription, so that its loaders never serve
 * yesterday's rows.
 */
export interface SubgraphDefinition<App, Context extends RequestContext> {
  name: ServiceName;
  resolvers: NonNullable<GraphQLSchemaModule['resolvers']>;
  /** Called once the database is migrated. */
  open(platform: Platform): Promise<App> | App;
  context(app: App, principal: Principal | null, clientAddress: ClientAddress): Context;
  consumers(app: App): AnyConsumer[];
  /** Whence it knows that what a user may do has changed: tokens of before are refused, and their subscriptions end. */
  rights: RightsSource | null;
  /** Called once everything is reachable: simulators, demo data. Again after an outage of its database, so what it starts comes last. */
  run?(app: App): Promise<Worker[]> | Worker[];
  /** Routes beside /graphql. They are added before there is an app, and asked for only after. */
  routes?(app: () => App, http: FastifyInstance): void;
  close?(app: App): Promise<void>;
}

/** Names the types of a subgraph's parts, so that they are checked against each other. */
export const defineSubgraph = <App, Context extends RequestContext>(
  definition: SubgraphDefinition<App, Context>,
): SubgraphDefinition<App, Context> => definition;
