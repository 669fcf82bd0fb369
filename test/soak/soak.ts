import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom, type Random } from '../../gateway/testing/random.js';
import { until } from '../../platform/testing/until.js';
import { createClient } from '../support/client.js';
import { isOutage } from '../support/orders.js';
import { type Counts, type Following, follow } from './following.js';
import { type House, startHouse } from './house.js';
import { type Line, openLine } from './line.js';
import { hireCouriers, hireStaff, type Person, seedCustomers } from './people.js';
import { askOfDeliveries, askOfOrder, askOfOrders, type Question, selections } from './questions.js';
import { createTroubles, schedule, type Troubles } from './troubles.js';
import { judge, type Verdict } from './verdict.js';

export interface SoakOptions {
  folder: string;
  seed: string;
  /** For how long orders are placed and things go wrong. */
  seconds: number;
  subscribers: number;
  orders: number;
  /** How often each part has its trouble; as often as there is time for unless told. */
  rounds?: number;
  /** Is told how what has been started is stopped, in the order of its start. */
  onEnd: (end: () => Promise<void>) => void;
  log: (line: string) => void;
  /** Ends it on its way. */
  signal?: AbortSignal;
}

/** A round of troubles takes about so long where nothing waits for another. */
const roundSeconds = 40;
/** How long an order is on its way, and what can be on its way at once. */
const stepMs = 1_000;
const couriers = 200;
const progressEveryMs = 5_000;
/** Where nothing has come for so long after the last trouble, nothing comes any more. */
const patienceMs = 90_000;

/** The demo data's cheapest product. */
const priceCents = 200;

/** One who watches, over some sockets. */
interface Subscriber {
  person: Person;
  lines: readonly Line[];
}

/**
 * Has subscribers follow orders while everything is killed and started again, and holds what each has seen against
 * the databases in the end.
 */
export async function soak(options: SoakOptions): Promise<Verdict> {
  const { folder, seed, onEnd, log, signal } = options;
  // What goes wrong does so in the same order for the same seed, whatever else takes chances.
  const [random, chance, balance] = ['troubles', 'people', 'balancers'].map((of) =>
    createRandom(`${seed} ${of}`),
  ) as [Random, Random, Random];
  log('starting PostgreSQL, Kafka, two gateways, and two of each service');
  const house = await startHouse({
    ...{ folder, random: balance.next, onEnd },
    env: { DELIVERY_STEP: `${stepMs}ms` },
  });
  signal?.throwIfAborted();

  const counts: Counts = { deliveries: 0, resumes: 0, partial: 0, retries: 0, unknown: 0 };
  const followings: Following[] = [];
  const { customers, devices, staff } = await invite(house, chance, options);
  const subscribers = [...customers, ...devices, ...staff];
  const lines = subscribers.flatMap((subscriber) => subscriber.lines);
  onEnd(async () => {
    for (const line of lines) line.leave();
  });
  function ask({ lines: own }: Subscriber, question: Question): void {
    const following = follow(question, counts);
    followings.push(following);
    chance.pick(own).add(following);
  }
  for (const one of [...customers, ...devices]) ask(one, askOfOrders(one.person.userId, one.person.token));
  for (const one of staff) ask(one, askOfDeliveries(one.person.token));
  log(`${subscribers.length} subscribers watch, over ${lines.length} sockets`);

  const cutSockets = () => {
    const share = random.pick([0.1, 0.5, 1]);
    const chosen = lines.filter(() => chance.chance(share));
    for (const line of chosen) line.cut();
    return chosen.length;
  };
  const troubles = createTroubles({ house, random, cutSockets, log });
  const placed: string[] = [];

  /** All three of an order's subscriptions, by somebody who may ask other things than others do. */
  function followOrder(one: Subscriber, orderId: string): void {
    for (const kind of ['order', 'delivery', 'payment'] as const)
      ask(one, askOfOrder(kind, orderId, one.person.token, chance.pick(selections[kind])));
  }

  async function order(index: number): Promise<void> {
    const customer = customers[index % customers.length] as Subscriber;
    const orderId = await place(house, chance, customer.person, signal);
    placed.push(orderId);
    followOrder(customer, orderId);
    const device = devices[index % customers.length];
    const watcher = chance.chance(0.3) ? chance.pick(staff) : undefined;
    for (const late of [device, watcher]) {
      if (!late) continue;
      await delay(chance.below(2 * stepMs), undefined, { signal });
      followOrder(late, orderId);
    }
  }

  const progress = setInterval(
    () => log(progressOf({ options, placed, followings, counts, troubles })),
    progressEveryMs,
  );
  try {
    const [, failures] = await Promise.all([
      placeAll(options, order),
      makeTroubles(troubles, random, options),
    ]);
    await troubles.over();
    log(`all is there again after ${failures} troubles; what is on its way comes to its end`);
    await settle(house, followings, counts, signal).catch((error: Error) => log(error.message));
  } finally {
    clearInterval(progress);
  }
  return judge({ house, placed, followings, lines, counts, troubles });
}

/** Customers, those of them who have a second device, and staff, each with some sockets. */
async function invite(house: House, random: Random, { subscribers, orders }: SoakOptions) {
  const staffCount = Math.max(1, Math.floor(subscribers * 0.1));
  const deviceCount = Math.floor(subscribers * 0.3);
  const customerCount = Math.max(1, subscribers - staffCount - deviceCount);
  const each = Math.ceil(orders / customerCount);
  await hireCouriers(house, couriers);
  const customers = await seedCustomers(
    house,
    // Every fourth cannot pay the last one.
    Array.from({ length: customerCount }, (_, index) => (index % 4 === 3 ? each - 1 : each)),
    priceCents,
  );
  const staff = await hireStaff(house, staffCount);
  const urls = house.gateways.map(({ port }) => `http://127.0.0.1:${port}`);
  const subscriber = (person: Person): Subscriber => ({
    person,
    lines: Array.from({ length: 1 + random.below(3) }, () => openLine({ urls, token: person.token, random })),
  });
  return {
    customers: customers.map(subscriber),
    devices: customers.slice(0, deviceCount).map(subscriber),
    staff: staff.map(subscriber),
  };
}

/** Places an order as a good client does: again and again, under one key, until an answer comes. */
async function place(
  house: House,
  random: Random,
  person: Person,
  signal: AbortSignal | undefined,
): Promise<string> {
  const idempotencyKey = randomUUID();
  for (;;) {
    try {
      return await createClient(`http://127.0.0.1:${random.pick(house.gateways).port}`).order(person, {
        idempotencyKey,
      });
    } catch (error) {
      // TypeError is what fetch throws where no answer came.
      if (!(error instanceof TypeError) && !(error instanceof SyntaxError) && !isOutage(error)) throw error;
      await delay(100 + random.below(400), undefined, { signal });
    }
  }
}

/** All orders, evenly over the first part of the time. */
async function placeAll(
  { orders, seconds, signal }: SoakOptions,
  order: (index: number) => Promise<void>,
): Promise<void> {
  const under: Promise<void>[] = [];
  const every = (seconds * 1_000 * 0.85) / orders;
  const began = Date.now();
  for (let index = 0; index < orders; index++) {
    await delay(Math.max(began + index * every - Date.now(), 0), undefined, { signal });
    const ordered = order(index);
    ordered.catch(() => undefined);
    under.push(ordered);
  }
  await Promise.all(under);
}

/** One trouble after the other, evenly over the time; answers how many. */
async function makeTroubles(troubles: Troubles, random: Random, options: SoakOptions): Promise<number> {
  const { seconds, signal, log } = options;
  const rounds = options.rounds ?? Math.max(1, Math.floor(seconds / roundSeconds));
  const plan = schedule(random, rounds);
  const every = (seconds * 1_000) / plan.length;
  const began = Date.now();
  for (const [index, part] of plan.entries()) {
    const due = began + (index + 0.2 + 0.6 * random.next()) * every;
    await delay(Math.max(due - Date.now(), 0), undefined, { signal });
    log(`trouble: ${await troubles.make(part)}`);
  }
  return plan.length;
}

/** Waits until all orders have come to their end, and all who follow them have heard of it, for as long as anything comes. */
async function settle(
  house: House,
  followings: readonly Following[],
  counts: Counts,
  signal: AbortSignal | undefined,
): Promise<void> {
  let last = { deliveries: counts.deliveries, at: Date.now() };
  await until(
    'all orders have come to their end, and everybody has heard of it',
    async () => {
      signal?.throwIfAborted();
      if (counts.deliveries > last.deliveries) last = { deliveries: counts.deliveries, at: Date.now() };
      if (Date.now() - last.at > patienceMs)
        throw new Error(`nothing has come for ${patienceMs / 1_000} s, and not all have heard of all ends`);
      return (
        followings.every(hasEnded) && (await openOrders(house)) === 0 && (await haveFeeds(house, followings))
      );
    },
    3_600_000,
  );
}

const isFeed = ({ question: { kind } }: Following): boolean => kind === 'orders' || kind === 'deliveries';
const hasEnded = (following: Following): boolean => following.isOver || isFeed(following);

async function openOrders(house: House): Promise<number | undefined> {
  const [row] = await house.sql<{ left: number }>(
    'order',
    `select count(*)::int as left from orders where status in ('PENDING', 'PAID')`,
  );
  return row?.left;
}

/** Whether all who watch many orders have come to the last change. */
async function haveFeeds(house: House, followings: readonly Following[]): Promise<boolean> {
  const { orders, deliveries } = await lastOfFeeds(house);
  return followings.filter(isFeed).every(({ question: { kind, id = '' }, seen }) => {
    const last = kind === 'orders' ? orders.get(id) : deliveries;
    return seen.at(-1)?.position === last;
  });
}

async function lastOfFeeds(house: House) {
  const orders = await house.sql<{ userId: string; last: string }>(
    'order',
    'select user_id as "userId", sequence::text as last from order_feeds',
  );
  const [delivery] = await house.sql<{ last: string }>(
    'delivery',
    `select xid || '.' || id as last from delivery_changes order by xid desc, id desc limit 1`,
  );
  return { orders: new Map(orders.map(({ userId, last }) => [userId, last])), deliveries: delivery?.last };
}

function progressOf(state: {
  options: SoakOptions;
  placed: readonly string[];
  followings: readonly Following[];
  counts: Counts;
  troubles: Troubles;
}): string {
  const { options, placed, followings, counts, troubles } = state;
  const over = followings.filter(({ isOver }) => isOver).length;
  const wrong = followings.reduce((sum, following) => sum + following.wrong.length, 0);
  const made = Object.values(troubles.counts).reduce((sum, count) => sum + count, 0);
  return [
    `${placed.length} of ${options.orders} orders`,
    `${followings.length - over} subscriptions, ${over} over`,
    `${counts.deliveries} deliveries`,
    `${counts.resumes} resumes`,
    `${made} troubles`,
    `${wrong} wrong`,
  ].join(' · ');
}
