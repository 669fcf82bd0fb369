import { z } from 'zod';
import { customEvent } from '../../events/custom.js';
import { courierLocationUpdated } from '../../events/delivery.js';
import { contracts } from '../../events/index.js';
import { orderCreated } from '../../events/order.js';
import { userDeleted } from '../../events/user.js';
import type { AnyConsumer } from '../../platform/bus/bus.js';
import type { Contract, Event } from '../../platform/bus/event.js';
import { inboxConsumer } from '../../platform/inbox.js';
import type { Database, Tx } from '../../platform/postgres/database.js';

/** What the store asks of an event's data: whom it concerns. The rest is kept as it came, of newer versions too. */
const keptData: z.ZodType<Kept> = z.looseObject({
  userId: z.uuid().nullish(),
  orderId: z.uuid().nullish(),
  courierUserId: z.uuid().nullish(),
});

interface Kept {
  userId?: string | null | undefined;
  orderId?: string | null | undefined;
  /** Of custom events it is anything, and no courier's: they are asked for no more than when they are published. */
  courierUserId?: unknown;
}

/** Types that only events of these topics have. */
export const systemTypes: ReadonlySet<string> = new Set(contracts.map(({ topic }) => topic));

/** Whoever stores holds it with others; whoever erases holds it alone, so that nothing is stored that it did not see. */
const erasureLock = 7_310_004;

/** Consumes every topic into the store. `stored` is told when there is something new to see. */
export const consumers = (database: Database, stored: () => void): AnyConsumer[] =>
  contracts.map(({ topic, anyType = false }) => {
    const erases = topic === userDeleted.topic;
    const schema: z.ZodType<Kept> = topic === customEvent.topic ? customEvent.schema : keptData;
    const contract: Contract<Kept> = { topic, anyType, schema, key: (_, id) => id };
    return inboxConsumer<Kept>({
      database,
      group: 'event',
      contract,
      async handle(tx, events) {
        await tx.query(`select pg_advisory_xact_lock${erases ? '' : '_shared'}($1)`, [erasureLock]);
        if (erases) await erase(tx, events);
        await store(tx, topic, events);
      },
      committed: stored,
    });
  });

/** Whether the user of an event's order has been erased: strangers and staff need not name whose order they tell of. */
const owners = `left join lateral (
  select true as erased from events o join erased_users x on x.user_id = o.user_id
  where o.order_id = n.order_id and o.milestone and o.topic <> '${customEvent.topic}' limit 1) owner on true`;

/** One statement: the events, without data where their user has been erased, and how many there are of each type. */
async function store(tx: Tx, topic: string, events: Event<Kept>[]): Promise<void> {
  const pretender = events.find(({ type }) => type !== topic && systemTypes.has(type));
  if (pretender) throw new Error(`an event of type ${pretender.type} does not come by ${topic}`);
  const isCustom = topic === customEvent.topic;
  const { rows } = await tx.query<{ erased: string[] | null }>(
    `with kept as (
       insert into events (id, at, type, source, subject, topic, user_id, order_id, courier_user_id, data)
       select id, at, type, source, subject, $1, n.user_id, order_id, courier_user_id,
         case when e.user_id is null ${isCustom ? 'and owner.erased is null' : ''} then data end
       from unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
           $9::uuid[], $10::json[]) with ordinality
         as n (id, at, type, source, subject, user_id, order_id, courier_user_id, data, place)
       left join erased_users e on e.user_id = n.user_id
         or (e.user_id = n.courier_user_id and type = '${courierLocationUpdated.topic}')
       ${isCustom ? owners : ''}
       order by place
       on conflict do nothing returning type, case when data is null then order_id end as erased)
     insert into event_counts as c (type, stored) select type, count(*) from kept group by type order by type
     on conflict (type) do update set stored = c.stored + excluded.stored
     returning (select array_agg(erased) from kept where erased is not null) as erased`,
    [
      topic,
      events.map(({ id }) => id),
      events.map(({ time }) => time.toISOString()),
      events.map(({ type }) => type),
      events.map(({ source }) => source),
      events.map(({ subject }) => subject),
      events.map(({ data }) => data.userId),
      events.map(({ data }) => data.orderId),
      events.map(({ data }) => (isCustom ? null : data.courierUserId)),
      events.map(({ data }) => JSON.stringify(data)),
    ],
  );
  const orders = rows[0]?.erased;
  if (topic === orderCreated.topic && orders) await eraseTold(tx, orders);
}

/** Nulls what was told of orders before anybody knew that their user was erased; what is being stored now, too. */
async function eraseTold(tx: Tx, orders: string[]): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [erasureLock]);
  await tx.query(
    'update events set data = null where data is not null and order_id = any($1::uuid[]) and topic = $2',
    [orders, customEvent.topic],
  );
}

/** Of a user with very many events it takes longer than statements may. */
const erasureTimeout = '60s';

/** Nulls the data of the users' events, of what was told of their orders, and of where they were as couriers; a tombstone does so to those that come later. */
async function erase(tx: Tx, events: Event<Kept>[]): Promise<void> {
  const users = [events.map(({ data }) => data.userId)];
  await tx.query(`select set_config('statement_timeout', $1, true)`, [erasureTimeout]);
  await tx.query(
    `insert into erased_users (user_id) select distinct id from unnest($1::uuid[]) as u (id)
     where id is not null order by id on conflict do nothing`,
    users,
  );
  await tx.query(
    `update events set data = null where data is not null
       and (user_id = any($1::uuid[]) or (courier_user_id = any($1::uuid[]) and not milestone)
         or (topic = $2 and order_id = any(array(
           select order_id from events where user_id = any($1::uuid[]) and milestone and topic <> $2))))`,
    [...users, customEvent.topic],
  );
}
