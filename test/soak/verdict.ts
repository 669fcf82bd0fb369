import type { Counts, Following } from './following.js';
import { compareFeed, compareHistory, type Difference, type Row } from './history.js';
import type { House } from './house.js';
import type { Line } from './line.js';
import { type Kind, kinds } from './questions.js';
import type { Part, Troubles } from './troubles.js';

/** What came of a soak. */
export interface Verdict {
  counts: Counts;
  troubles: Record<Part, number>;
  /** How long it took the slowest of what was killed to come back, in ms. */
  longestAway: number;
  subscriptions: number;
  gaps: number;
  doubles: number;
  /** Subscriptions to orders that have ended, and that have not completed. */
  unfinished: number;
  /** From the commit of a change to who had subscribed before, in ms, by what was asked. */
  delays: Record<Kind, Delays>;
  /** The delivery that took longest. */
  slowest: Delay | undefined;
  /** All that should not be, a line each. */
  wrong: string[];
}

interface Delays {
  p50: number;
  p99: number;
  longest: number;
}

/** A delivery, and how long it took. */
interface Delay {
  kind: Kind;
  ms: number;
  what: string;
  /** In ms since 1970. */
  committedAt: number;
}

type Histories = Record<'orders' | 'deliveries' | 'payments' | 'feeds', Map<string, Row[]>> & { feed: Row[] };

const isOpenOrder = (status: string): boolean => status === 'PENDING' || status === 'PAID';
const isOpenDelivery = (status: string): boolean =>
  status === 'PENDING' || status === 'IN_TRANSIT' || status === 'OUT_FOR_DELIVERY';

/** Holds what everybody has seen against the databases. */
export async function judge(run: {
  house: House;
  placed: readonly string[];
  followings: readonly Following[];
  lines: readonly Line[];
  counts: Counts;
  troubles: Troubles;
}): Promise<Verdict> {
  const { house, placed, followings, lines, counts, troubles } = run;
  const histories = await readHistories(house);
  const wrong = [...house.complaints, ...lines.flatMap((line) => line.wrong)];
  const delays: Delay[] = [];
  let gaps = 0;
  let doubles = 0;
  let unfinished = 0;

  if (new Set(placed).size !== histories.orders.size || placed.length !== histories.orders.size)
    wrong.push(`${placed.length} orders were placed, and there are ${histories.orders.size}`);
  for (const following of followings) {
    const { question, seen, isOver } = following;
    const { kind, id = '' } = question;
    const { rows, difference } = compared(following, histories);
    const what = `${kind} ${id}: ${seen.map(({ position, status }) => `${position} ${status}`).join(', ')}`;
    gaps += difference.gaps;
    doubles += difference.doubles;
    wrong.push(...[...difference.wrong, ...following.wrong].map((why) => `${why} (${what})`));
    const isForEver = kind === 'orders' || kind === 'deliveries';
    if (!isForEver && !isOver) unfinished++;
    if (difference.gaps + difference.doubles > 0 || (!isForEver && !isOver))
      wrong.push(
        `${difference.gaps} missing, ${difference.doubles} double, ${isOver ? 'completed' : 'not completed'} (${what}; ${rows.length} there were)`,
      );
    delays.push(...delaysOf(following, rows));
  }
  delays.sort((a, b) => a.ms - b.ms);
  return {
    troubles: troubles.counts,
    longestAway: troubles.longestAway,
    ...{ counts, gaps, doubles, unfinished, wrong, subscriptions: followings.length },
    delays: Object.fromEntries(
      kinds.map((kind) => [kind, delaysAt(delays.filter((one) => one.kind === kind))]),
    ) as Record<Kind, Delays>,
    slowest: delays.at(-1),
  };
}

/** @param sorted the shortest first */
function delaysAt(sorted: readonly Delay[]): Delays {
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))]?.ms ?? 0);
  return { p50: at(0.5), p99: at(0.99), longest: at(1) };
}

function compared(
  { question: { kind, id = '' }, seen }: Following,
  { orders, deliveries, payments, feeds, feed }: Histories,
): { rows: Row[]; difference: Difference } {
  if (kind === 'deliveries') return { rows: feed, difference: compareFeed(feed, seen, isOpenDelivery) };
  const rows = { order: orders, delivery: deliveries, payment: payments, orders: feeds }[kind].get(id) ?? [];
  return {
    rows,
    difference: kind === 'orders' ? compareFeed(rows, seen, isOpenOrder) : compareHistory(rows, seen),
  };
}

function delaysOf({ question, seen, beganAt = 0 }: Following, rows: readonly Row[]): Delay[] {
  const times = new Map(rows.map(({ position, at }) => [position, at]));
  return seen.flatMap(({ position, status, at }) => {
    const committedAt = times.get(position) ?? 0;
    const what = `${status} at ${position}, ${question.query.replaceAll(/\s+/g, ' ')} ${question.id ?? ''}`;
    return committedAt >= beganAt ? [{ kind: question.kind, ms: at - committedAt, what, committedAt }] : [];
  });
}

async function readHistories(house: House): Promise<Histories> {
  const at = 'extract(epoch from at)::float8 * 1000 as at';
  const orderChanges = await house.sql<Row & { userId: string; place: string }>(
    'order',
    `select sequence::text as position, status, order_id as "orderId", ${at}, user_id as "userId", user_sequence::text as place
     from order_changes order by user_id, user_sequence`,
  );
  const deliveryChanges = await house.sql<Row & { place: string }>(
    'delivery',
    `select c.sequence::text as position, c.status, d.order_id as "orderId", ${at}, c.xid || '.' || c.id as place
     from delivery_changes c join deliveries d on d.id = c.delivery_id order by c.xid, c.id`,
  );
  const payments = await house.sql<Row>(
    'payment',
    `select id as position, status, order_id as "orderId", extract(epoch from created_at)::float8 * 1000 as at from payments`,
  );
  const bySequence = (a: Row, b: Row) => Number(a.position) - Number(b.position);
  return {
    orders: grouped(orderChanges.toSorted(bySequence), ({ orderId }) => orderId),
    deliveries: grouped(deliveryChanges.toSorted(bySequence), ({ orderId }) => orderId),
    payments: grouped(payments, ({ orderId }) => orderId),
    feeds: grouped(
      orderChanges.map((row) => ({ ...row, position: row.place })),
      ({ userId }) => userId,
    ),
    feed: deliveryChanges.map((row) => ({ ...row, position: row.place })),
  };
}

function grouped<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}
