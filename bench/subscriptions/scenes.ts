import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../gateway/child.js';
import { sendLoad } from '../gateway/load.js';
import type { Clients } from './clients.js';
import {
  broadcast,
  deliverAll,
  deliverAtRate,
  manyOrders,
  oneOrder,
  type Round,
  type Side,
} from './deliver.js';
import { spentWhile } from './measure.js';
import { deliveryId, orderId, query, subscription } from './orders.js';
import type { Distinct, FanOut, Idle, Idler } from './report.js';
import type { Server, Stage } from './stage.js';
import type { Worker } from './talk.js';

export interface SceneOptions {
  rounds: number;
  /** Of each round. */
  deliveries: number;
  /** Deliveries a second at which it is measured how long one takes, and for how many seconds. */
  rate: number;
  seconds: number;
  idleSeconds: number;
  log(line: string): void;
}

type Floor = Server & { worker: Worker };

/** Transactions that are under way at once, where it goes as fast as it can. */
const window = { broadcast: 4, distinct: 20 };
/** Rounds. Fewer events would leave code uncompiled that a round is then the price of. */
const warmUp = { broadcast: 5, distinct: 0.3 };

/** What the sockets of one stream subscribe to, as members of the staff. */
const watchOne = (stage: Stage, sockets: number) => ({
  query: subscription,
  variables: Array.from({ length: sockets }, () => ({ orderId: orderId(0) })),
  tokens: Array.from({ length: sockets }, (_, n) => stage.tokens.staff[n % stage.tokens.staff.length] ?? ''),
});

/** Each an order of its own. */
const watchEach = (stage: Stage, sockets: number) => ({
  query: subscription,
  variables: Array.from({ length: sockets }, (_, n) => ({ orderId: orderId(n) })),
  tokens: stage.tokens.users.slice(0, sockets),
});

const sideOf = (stage: Stage, gateway: Server, clients: Clients, source: Side['source']): Side => ({
  ...{ source, clients },
  pids: { server: gateway.pid, subgraph: stage.subgraph.pid, clients: clients.pid },
});

/** One stream for so many sockets, beside as many to which a plain server broadcasts the same bytes. */
export async function fanOut(
  stage: Stage,
  servers: { gateway: Server; floor: Floor; clients: { ours: Clients; floor: Clients } },
  sockets: number,
  options: SceneOptions,
): Promise<FanOut> {
  const { gateway, floor, clients } = servers;
  const { rounds, deliveries, rate, seconds, log } = options;
  log(`${sockets} sockets on one order`);
  const subscribe = { ...watchOne(stage, sockets), until: 'event' as const };
  await clients.ours.connect({ port: gateway.port, sockets, subscribe });
  await clients.floor.connect({ port: floor.port, sockets });
  log('all are connected');
  const ours = sideOf(stage, gateway, clients.ours, oneOrder(stage.writer, sockets));
  const plain: Side = {
    source: broadcast(floor.worker, sockets),
    clients: clients.floor,
    pids: { server: floor.pid, clients: clients.floor.pid },
  };
  // The floor is given the very messages that ours has sent.
  const { sample } = await deliverAll(ours, warmUp.broadcast * deliveries, window.broadcast);
  await floor.worker.ask({ kind: 'texts', texts: sample.slice(0, 2) });
  await deliverAll(plain, warmUp.broadcast * deliveries, window.broadcast);
  const fast = { ours: [] as Round[], floor: [] as Round[] };
  const steady = { ours: [] as Round[], floor: [] as Round[] };
  for (let round = 1; round <= rounds; round++) {
    fast.floor.push(await deliverAll(plain, deliveries, window.broadcast));
    fast.ours.push(await deliverAll(ours, deliveries, window.broadcast));
    steady.floor.push(await deliverAtRate(plain, rate, seconds));
    steady.ours.push(await deliverAtRate(ours, rate, seconds));
    log(
      `round ${round}: ${us(fast.floor)} us of CPU a delivery for the broadcast, ${us(fast.ours)} for ours`,
    );
  }
  await Promise.all([clients.ours.close(), clients.floor.close()]);
  return { sockets, bytes: Buffer.byteLength(sample[0] ?? ''), fast, steady };
}

/** A socket for each of so many orders, beside the same fields asked for by a query of the same process. */
export async function distinct(
  stage: Stage,
  { gateway, clients, load }: { gateway: Server; clients: Clients; load: Child },
  orders: number,
  options: SceneOptions,
): Promise<Distinct> {
  const { rounds, deliveries, rate, seconds, log } = options;
  log(`${orders} sockets on ${orders} orders`);
  const subscribe = { ...watchEach(stage, orders), until: 'event' as const };
  await clients.connect({ port: gateway.port, sockets: orders, subscribe });
  log('all are connected');
  const side = sideOf(stage, gateway, clients, manyOrders(stage.writer, orders));
  const ask = await asker(stage, gateway, load);
  await deliverAll(side, warmUp.distinct * deliveries, window.distinct);
  await ask(2);
  const fast: Round[] = [];
  const steady: Round[] = [];
  const queries: Distinct['queries'] = [];
  for (let round = 1; round <= rounds; round++) {
    fast.push(await deliverAll(side, deliveries, window.distinct));
    queries.push(await ask(seconds));
    steady.push(await deliverAtRate(side, rate, seconds));
    log(
      `round ${round}: ${us(fast)} us of CPU a delivery, ${queries.at(-1)?.cpuUs['server']?.toFixed(1)} a query`,
    );
  }
  await clients.close();
  return { orders, fast, steady, queries };
}

const us = (rounds: readonly Round[]): string => rounds.at(-1)?.cpuUs['server']?.toFixed(1) ?? '-';

/** Asks for deliveries of some orders, and tells what that took a query. */
async function asker(stage: Stage, gateway: Server, load: Child) {
  const headers = {
    'content-type': 'application/json',
    authorization: stage.tokens.staff[0] ?? '',
  };
  const asked = Math.min(200, stage.tokens.users.length);
  const bodies = Array.from({ length: asked }, (_, n) =>
    JSON.stringify({ query, variables: { id: deliveryId(n) } }),
  );
  const answer = async (body: string): Promise<string> => {
    const url = `http://127.0.0.1:${gateway.port}/graphql`;
    const text = await (await fetch(url, { method: 'POST', headers, body })).text();
    if (text.includes('"errors"')) throw new Error(`a query was not answered: ${text}`);
    return text;
  };
  return async (seconds: number): Promise<Distinct['queries'][number]> => {
    const lengths = (await Promise.all(bodies.map(answer))).map((text) => Buffer.byteLength(text));
    const pids = { server: gateway.pid, subgraph: stage.subgraph.pid };
    const { result, cpu } = await spentWhile(pids, () =>
      sendLoad(load, { port: gateway.port, headers, bodies, lengths, connections: 32, seconds }),
    );
    const cpuUs = Object.entries(cpu).map(([name, used]) => [name, (used * 1e6) / result.count]);
    return { perSecond: result.count / result.seconds, cpuUs: Object.fromEntries(cpuUs) };
  };
}

/** Enough to have all code compiled, and every cache its size. */
const fewSockets = 500;

/** The one that connected last still tidies up what that took, while the others are done. */
const settleMs = 30_000;

/** Sockets with one subscription each to which nothing comes, of ours and of a bare graphql-ws server. */
export async function idle(stage: Stage, sockets: number, options: SceneOptions): Promise<Idle> {
  const { idleSeconds, log } = options;
  const bare = await stage.startServer('bare');
  const contestants = [
    { name: 'bare', server: bare, subscribe: watchEach(stage, sockets), until: 'read' as const },
    {
      name: 'shared',
      server: await stage.startGateway('idle-shared'),
      subscribe: watchOne(stage, sockets),
      until: 'event' as const,
    },
    {
      name: 'distinct',
      server: await stage.startGateway('idle-distinct'),
      subscribe: watchEach(stage, sockets),
      until: 'event' as const,
    },
  ];
  const idlers = new Map<string, Omit<Idler, 'cpu'>>();
  for (const { name, server, subscribe, until } of contestants) {
    log(`${sockets} idle sockets: ${name}`);
    const clients = stage.startClients(`clients-${name}`);
    const inspector = await stage.inspect(server);
    const order = { port: server.port, subscribe: { ...subscribe, until } };
    await clients.connect({ ...order, sockets: Math.min(fewSockets, sockets) });
    await clients.close();
    await delay(1_000);
    const before = await inspector.memory();
    await clients.connect({ ...order, sockets });
    await delay(1_000);
    const after = await inspector.memory();
    inspector.close();
    const grown = (of: (usage: NodeJS.MemoryUsage) => number): number => (of(after) - of(before)) / sockets;
    idlers.set(name, {
      rssBytes: grown(({ rss }) => rss),
      heapBytes: grown(({ heapUsed, external }) => heapUsed + external),
    });
  }
  await delay(settleMs);
  log(`watching them do nothing for ${idleSeconds} s`);
  const pids = Object.fromEntries(contestants.map(({ name, server }) => [name, server.pid]));
  const { cpu, seconds } = await spentWhile(pids, () => delay(idleSeconds * 1000));
  const of = (name: string): Idler => {
    const known = idlers.get(name);
    if (!known) throw new Error(`${name} was not measured`);
    return { ...known, cpu: (cpu[name] ?? Number.NaN) / seconds };
  };
  return { sockets, bare: of('bare'), shared: of('shared'), distinct: of('distinct') };
}
