import type { Clients } from './clients.js';
import type { Commits, Received } from './latency.js';
import { spentWhile } from './measure.js';
import type { Change, FloorOrder, WriterOrder } from './stage.js';
import type { Worker } from './talk.js';

/** Where changes come from, and how many deliveries one of its transactions makes. */
export interface Source {
  each: number;
  /** Changes that one socket gets of so many transactions, at most. */
  perSocket(times: number): number;
  change(): Promise<Change>;
  run(perSecond: number, times: number): Promise<Change[]>;
  commits(changes: readonly Change[]): Commits;
}

/** Who delivers: a server with its sockets, and processes whose CPU is told, `server` first of all. */
export interface Side {
  source: Source;
  clients: Clients;
  pids: Readonly<Record<string, number>>;
}

export interface Round extends Received {
  perSecond: number;
  /** By process, in us a delivery. */
  cpuUs: Record<string, number>;
}

/** A server that sends by itself, and to all. */
export function broadcast(floor: Worker, sockets: number): Source {
  const ask = <T>(order: FloorOrder): Promise<T> => floor.ask<T>(order);
  const asChange = (at: number): Change => ({ orders: [], at });
  return {
    each: sockets,
    perSocket: (times) => times,
    change: async () => asChange(await ask<number>({ kind: 'send' })),
    run: async (perSecond, times) => (await ask<number[]>({ kind: 'run', perSecond, times })).map(asChange),
    commits: (changes) => ({ all: changes.map(({ at }) => at) }),
  };
}

/** Changes of one order, of which all sockets hear. */
export function oneOrder(writer: Worker, sockets: number): Source {
  const ask = <T>(order: WriterOrder): Promise<T> => writer.ask<T>(order);
  const order = { each: 1, of: 1 };
  return {
    each: sockets,
    perSocket: (times) => times,
    change: () => ask({ kind: 'change', ...order }),
    run: (perSecond, times) => ask({ kind: 'run', perSecond, times, ...order }),
    commits: (changes) => ({ all: changes.map(({ at }) => at) }),
  };
}

/** As many as the services write at once where there is much to do. */
const ordersOfTransaction = 100;

/** Changes of all orders in turn, each of which one socket hears of. */
export function manyOrders(writer: Worker, orders: number): Source {
  const ask = <T>(order: WriterOrder): Promise<T> => writer.ask<T>(order);
  const each = Math.min(ordersOfTransaction, orders);
  return {
    each,
    perSocket: (times) => Math.ceil((times * each) / orders) + 1,
    change: () => ask({ kind: 'change', each, of: orders }),
    run: (perSecond, times) => ask({ kind: 'run', perSecond, times, each, of: orders }),
    commits(changes) {
      const byOrder = Array.from({ length: orders }, (): number[] => []);
      for (const { orders: changed, at } of changes) for (const n of changed) byOrder[n]?.push(at);
      return { each: byOrder };
    },
  };
}

/** As fast as it goes: so many transactions, of which some are under way at any time. */
export function deliverAll(side: Side, deliveries: number, window: number): Promise<Round> {
  const { source, clients } = side;
  const times = Math.ceil(deliveries / source.each);
  return measured(side, times, async () => {
    const changes: Change[] = [];
    for (let n = 0; n < times; n++) {
      await clients.until((n + 1 - window) * source.each);
      changes.push(await source.change());
    }
    return changes;
  });
}

/** At a steady rate, in deliveries a second. */
export function deliverAtRate(side: Side, rate: number, seconds: number): Promise<Round> {
  const perSecond = rate / side.source.each;
  const times = Math.max(Math.round(perSecond * seconds), 1);
  return measured(side, times, () => side.source.run(perSecond, times));
}

/** @throws Error where a socket got more or less than was changed for it */
async function measured(side: Side, times: number, work: () => Promise<Change[]>): Promise<Round> {
  const { source, clients, pids } = side;
  await clients.begin({ perSocket: source.perSocket(times), step: source.each });
  const { result, seconds, cpu } = await spentWhile(pids, async () => {
    const changes = await work();
    await clients.until(times * source.each);
    return changes;
  });
  const received = await clients.finish(source.commits(result));
  const bad = received.sample.find((text) => text.includes('"errors"'));
  if (bad !== undefined) throw new Error(`an event came with errors: ${bad}`);
  if (received.wrong > 0) throw new Error(`${received.wrong} sockets got more or less than was changed`);
  const cpuUs = Object.entries(cpu).map(([name, used]) => [name, (used * 1e6) / received.deliveries]);
  return {
    ...received,
    perSecond: received.deliveries / seconds,
    cpuUs: Object.fromEntries(cpuUs) as Record<string, number>,
  };
}
