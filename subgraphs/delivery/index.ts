import type { z } from 'zod';
import { accountOf } from '../../events/account.js';
import { cancellation } from '../../events/cancellation.js';
import { courierLocationUpdated, deliveryStatusUpdated } from '../../events/delivery.js';
import { userDeleted, userUpdated } from '../../events/user.js';
import { readRights } from '../../platform/auth/known-users.js';
import type { ServiceTokens } from '../../platform/auth/service-tokens.js';
import type { Config } from '../../platform/config.js';
import { createLiveSource, type LiveSource } from '../../platform/live/source.js';
import type { Log } from '../../platform/log.js';
import type { Database } from '../../platform/postgres/database.js';
import { defineSubgraph } from '../../platform/subgraph/define.js';
import { answerPeer, askPeer, type PeerClient } from '../../platform/subgraph/peers.js';
import type { Dispatching } from './assign.js';
import { cancelDelivery } from './cancel.js';
import { consumers } from './consumers.js';
import type { Context } from './context.js';
import { type CourierCommands, courierCommands } from './couriers.js';
import { seedCouriers } from './demo.js';
import { type DispatchCommands, dispatchCommands } from './dispatch.js';
import { type FeedPosition, readFeed } from './feed.js';
import { readCourierPlaces, readDeliveryChanges } from './live-reads.js';
import { createLoaders, createReads } from './reads.js';
import { resolvers } from './resolvers.js';
import type { DeliveryChangeRow, LocationRow } from './rows.js';
import { type Bells, createBells, startAssigner, startReleaser, startSimulator } from './workers.js';

interface App {
  config: Config;
  log: Log;
  database: Database;
  reads: ReturnType<typeof createReads>;
  /** The changes of an order's delivery, by the order's id. */
  live: LiveSource<DeliveryChangeRow>;
  /** Where an order's courier is, by the order's id. */
  places: LiveSource<LocationRow, string>;
  /** The changes of all deliveries, by a filter. */
  feed: LiveSource<DeliveryChangeRow, FeedPosition>;
  bells: Bells;
  dispatching: Dispatching;
  couriers: CourierCommands;
  dispatch: DispatchCommands;
  users: PeerClient<z.input<typeof accountOf.input>, z.output<typeof accountOf.output>>;
  tokens: ServiceTokens;
}

/** Deliveries, from the payment to the door. */
export const deliverySubgraph = defineSubgraph<App, Context>({
  name: 'delivery',
  resolvers,
  open({ config, log, database, bus, peers }) {
    const live = createLiveSource<DeliveryChangeRow>({
      name: 'order',
      log,
      unknownMs: 10_000,
      start: 0,
      read: readDeliveryChanges(database),
    });
    const feed = createLiveSource<DeliveryChangeRow, FeedPosition>({
      name: 'feed',
      log,
      unknownMs: 0,
      start: { xid: '0', id: '0', until: null },
      read: readFeed(database),
    });
    const places = createLiveSource<LocationRow, string>({
      name: 'order',
      log,
      unknownMs: 10_000,
      start: '',
      paceMs: config.COURIER_MOVED_INTERVAL,
      read: readCourierPlaces(database),
    });
    const users = askPeer(accountOf, { peers, log });
    const bells = createBells();
    const freed = () => bells.assign.ring();
    const dispatching = {
      deadlineMs: config.DELIVERY_DEADLINE,
      geography: { depot: config.DEPOT, radius: config.DELIVERY_RADIUS },
    };
    bus.listen(
      deliveryStatusUpdated,
      ({ data }) => {
        live.ring(data.orderId);
        places.ring(data.orderId);
        feed.ringAll();
        // A delivery waits for a courier, or a courier has become free.
        freed();
      },
      () => {
        live.ringAll();
        places.ringAll();
        feed.ringAll();
      },
    );
    bus.listen(
      courierLocationUpdated,
      ({ data }) => data.orderId && places.ring(data.orderId),
      places.ringAll,
    );
    return {
      ...{ config, log, database, live, places, feed, bells, dispatching },
      reads: createReads(database),
      users,
      couriers: courierCommands(database, dispatching.geography, users, freed),
      dispatch: dispatchCommands(database, dispatching, freed),
      tokens: peers.tokens,
    };
  },
  context: ({ database, reads, live, places, feed, couriers, dispatch, dispatching }, principal) => ({
    principal,
    couriers,
    dispatch,
    live,
    places,
    feed,
    loaders: createLoaders(database, reads, dispatching.geography.depot),
  }),
  // An order that was not paid has no delivery to hear of; another replica's watchers learn it from their next look.
  consumers: ({ database, live, bells, dispatching }) =>
    consumers(database, dispatching.geography, {
      closed: (orderId) => live.ring(orderId),
      freed: () => bells.assign.ring(),
    }),
  rights: { contracts: [userUpdated, userDeleted], read: readRights },
  async run({ config, log, database, bells, dispatching }) {
    const { geography } = dispatching;
    if (config.DEMO_DATA) await seedCouriers(database);
    const workers = [startReleaser(database, bells, config.DELIVERY_MAX_ATTEMPTS, dispatching, log)];
    if (config.COURIER_ASSIGNMENT === 'auto') workers.push(startAssigner(database, bells, dispatching, log));
    if (config.DELIVERY_SIMULATION)
      workers.push(startSimulator(database, bells, { stepMs: config.DELIVERY_STEP, geography, log }));
    return workers;
  },
  routes(app, http) {
    answerPeer(
      http,
      cancellation,
      (request) => cancelDelivery(app().database, request, app().dispatching.geography),
      () => app().tokens,
    );
  },
  async close({ live, places, feed, users }) {
    await Promise.all([live.stop(), places.stop(), feed.stop(), users.close()]);
  },
});
