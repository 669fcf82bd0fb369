import pg from 'pg';
import type { DeliveryStatus } from '../../../events/delivery.js';
import type { OrderStatus } from '../../../events/order.js';
import { migrate } from '../../../platform/migrate.js';
import { projectPath } from '../../../platform/root.js';

/** The services whose databases are filled. */
export const services = ['user', 'order', 'payment', 'delivery'] as const;
export type Service = (typeof services)[number];

/**
 * How much there is. More customers and couriers than so many orders need: of a few thousand PostgreSQL rightly reads all
 * where it looks a hundred up, for a batch.
 */
const sizes = { orders: 100_000, open: 400, customers: 40_000, couriers: 20_000, products: 200 };
/** The busiest customer has every so-many-th order. */
const everyNth = 50;
const priceCents = 500;

/** What became of an order: the states that it went through, each its own status and its delivery's. */
interface Story {
  states: (OrderStatus | `${OrderStatus}/${DeliveryStatus}`)[];
  payment: 'SUCCESS' | 'INSUFFICIENT_FUNDS' | 'REFUNDED' | null;
  /** Whether a courier has its delivery; one that is late should have brought it by now. */
  courier?: 'has it' | 'is late';
}

const [paid, waiting] = ['PAID', 'PAID/PENDING'] as const;
/** Of a hundred orders that have come to their end so many went so. */
const finished: [number, Story][] = [
  [
    40,
    {
      states: ['PENDING', paid, waiting, 'PAID/IN_TRANSIT', 'PAID/OUT_FOR_DELIVERY', 'COMPLETED/DELIVERED'],
      ...{ payment: 'SUCCESS', courier: 'has it' },
    },
  ],
  [20, { states: ['PENDING', 'INSUFFICIENT_FUNDS'], payment: 'INSUFFICIENT_FUNDS' }],
  [20, { states: ['PENDING', paid, waiting, 'CANCELLED/CANCELLED'], payment: 'REFUNDED' }],
  [
    5,
    {
      states: ['PENDING', paid, waiting, 'PAID/IN_TRANSIT', 'CANCELLED/FAILED'],
      ...{ payment: 'REFUNDED', courier: 'has it' },
    },
  ],
  [15, { states: ['PENDING', 'CANCELLED'], payment: null }],
];
/** The newest orders are open, as many in each of these states. */
const open: Story[] = [
  { states: ['PENDING', paid, waiting], payment: 'SUCCESS' },
  { states: ['PENDING', paid, waiting], payment: 'SUCCESS', courier: 'has it' },
  { states: ['PENDING', paid, waiting, 'PAID/IN_TRANSIT'], payment: 'SUCCESS', courier: 'has it' },
  { states: ['PENDING', paid, waiting, 'PAID/IN_TRANSIT'], payment: 'SUCCESS', courier: 'is late' },
];
const stories = [...finished.map(([, story]) => story), ...open];

/** SQL of an id that was made at this time (ms), the n-th of its kind: a UUID of version 7, as PostgreSQL makes them. */
const id = (kind: number, ms: string, n: string): string =>
  `(lpad(to_hex(${ms}), 12, '0') || '7${kind.toString(16).padStart(3, '0')}8000' || lpad(to_hex(${n}), 12, '0'))::uuid`;
/** The oldest order is almost six days old: nothing has to be forgotten yet. */
const began = Date.now() - 6 * 24 * 60 * 60 * 1_000;
const stepMs = 5_000;
const at = (ms: string): string => `to_timestamp((${ms}) / 1000.0)`;
const text = (value: string | null | undefined): string => (value == null ? 'null' : `'${value}'`);
const customer = (n: string): string => id(1, `${began}::bigint`, n);
const courier = (n: string): string => id(2, `${began}::bigint`, n);
const courierAccount = (n: string): string => id(3, `${began}::bigint`, n);

/** Ids that tests ask by, as `customer` and its like make them. */
const madeId = (kind: number, n: number): string => {
  const hex = `${began.toString(16).padStart(12, '0')}7${kind.toString(16).padStart(3, '0')}8000${n.toString(16).padStart(12, '0')}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};
/** The customer of 2,000 orders, and one of two or three: to find these among all takes the longest. */
export const busiestCustomer = madeId(1, 1);
export const someCustomer = madeId(1, 2 + ((50_001 * 7919) % (sizes.customers - 1)));
/** A courier who has brought some and is on the way with one, and the account that acts for it. */
export const someCourier = madeId(2, 3);
export const someCourierAccount = madeId(3, 3);
export const someProduct = madeId(4, 1);

/** All orders as `placed`, and the states of each story as `change`: what is made of them in every database. */
const basis = `
create temp table change as select * from (values ${stories
  .flatMap(({ states }, story) => {
    let deliverySequence = 0;
    return states.map((state, index) => {
      const [status, deliveryStatus] = state.split('/');
      if (deliveryStatus) deliverySequence += 1;
      return `(${story}, ${index + 1}, ${text(status)}, ${text(deliveryStatus)}, ${deliverySequence}, ${index + 1 === states.length})`;
    });
  })
  .join(', ')}) c (story, sequence, status, delivery_status, delivery_sequence, is_last);
create temp table story as select * from (values ${stories
  .map(
    ({ payment, courier: has, states }, story) =>
      `(${story}, ${text(payment)}, ${has !== undefined}, ${has === 'is late'}, ${story >= finished.length}, ${states.some((state) => state.includes('/'))})`,
  )
  .join(', ')}) s (story, payment, has_courier, is_late, is_open, has_delivery);
create temp table placed as
select n, ${id(0, 'ms', 'n')} as id, ms, ${at('ms')} as at, story,
  case when n % ${everyNth} = 0 then ${customer('1')} else ${customer(`2 + n::bigint * 7919 % ${sizes.customers - 1}`)} end as user_id
from (
  select n, ${began} + n::bigint * ${stepMs} as ms, case when n > ${sizes.orders - sizes.open} then ${finished.length} + n % ${open.length}
    else (array[${finished.flatMap(([share], story) => Array.from({ length: share }, () => story)).join(',')}])[1 + (n * 37 + n / ${everyNth}) % 100] end as story
  from generate_series(1, ${sizes.orders}) n) numbered;
analyze placed, change, story;`;

/** Of some orders the events are still remembered, and of so many one is still to be published. */
const handled = (group: string): string => `
insert into inbox (group_name, event_id, handled_at)
select '${group}', gen_random_uuid(), at from placed where n % 4 = 0`;
const unpublished = 2_000;

const fill: Record<Service, string> = {
  user: `
insert into users (id, email, password_hash, first_name, last_name)
select ${customer('n')}, 'customer' || n || '@example.net', 'none', 'Rosa', 'Random' from generate_series(1, ${sizes.customers}) n;
insert into refresh_tokens (token_hash, user_id, expires_at)
select 'hash' || n, ${customer('n')}, now() + interval '1 day' from generate_series(1, ${sizes.customers}) n;`,

  order: `
insert into products (id, name, price_cents)
select ${id(4, `${began}::bigint`, 'n')}, 'Product ' || n, ${priceCents} from generate_series(1, ${sizes.products}) n;
insert into orders (id, user_id, status, delivery_status, delivery_sequence, total_cents, delivery_address, sequence, created_at, updated_at)
select id, user_id, status, delivery_status, delivery_sequence, (1 + (n % 10 = 0)::int) * ${priceCents}, 'Long Lane ' || n, sequence, at, at
from placed join change using (story) where is_last order by n;
insert into order_items (order_id, position, product_id, quantity, price_cents)
select id, position, ${id(4, `${began}::bigint`, `1 + (n + position) % ${sizes.products}`)}, 1, ${priceCents}
from placed, generate_series(0, (n % 10 = 0)::int) position order by n;
insert into order_changes (order_id, sequence, status, delivery_status, user_id, user_sequence, at)
select id, sequence, status, delivery_status, user_id, before + sequence, at
from change join (
  select *, sum(length) over (partition by user_id order by n) - length as before
  from placed join (select story, count(*) as length from change group by story) s using (story)) p using (story)
order by n, sequence;
insert into order_feeds (user_id, sequence) select user_id, max(user_sequence) from order_changes group by user_id;
insert into idempotency_keys (user_id, mutation, key, input_hash, result_id, created_at)
select user_id, 'createOrder', 'order ' || n, md5(n::text), id, at from placed where n % 4 = 0;
insert into outbox (event_id, topic, key, value, headers)
select event_id, 'order.updated', user_id, json_build_object(
    'specversion', '1.0', 'id', event_id, 'source', '/doorstep/order', 'type', 'order.updated',
    'time', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'datacontenttype', 'application/json',
    'data', json_build_object('orderId', id, 'userId', user_id, 'sequence', 1, 'status', 'PENDING')),
  '{"content-type":"application/cloudevents+json; charset=utf-8"}'
from (select *, gen_random_uuid() as event_id from placed where n <= ${unpublished}) told;
${handled('order')}`,

  payment: `
create temp table movement as
select ${customer('n')} as user_id, 0 as n, 0 as step, 'TOP_UP' as kind, 10000000 as amount, null::uuid as payment_id,
  ${began}::bigint as ms, ${id(5, `${began}::bigint`, 'n')} as id
from generate_series(1, ${sizes.customers}) n
union all
select user_id, n, step, kind, case kind when 'CHARGE' then -1 else 1 end * (1 + (n % 10 = 0)::int) * ${priceCents},
  ${id(6, 'ms', 'n')}, ms, ${id(7, 'ms', 'n::bigint * 2 + step')}
from placed join story using (story)
  join (values ('SUCCESS', 0, 'CHARGE'), ('REFUNDED', 0, 'CHARGE'), ('REFUNDED', 1, 'REFUND')) m (payment, step, kind) using (payment);
create temp table entry as
select *, row_number() over w as sequence, sum(amount) over w as balance, ${id(8, `${began}::bigint`, `('x' || right(user_id::text, 12))::bit(48)::bigint`)} as account_id
from movement window w as (partition by user_id order by n, step);
insert into accounts (id, user_id, balance_cents, entries)
select distinct on (user_id) account_id, user_id, balance, sequence from entry order by user_id, sequence desc;
insert into payments (id, order_id, user_id, account_id, status, amount_cents, created_at, refunded_at)
select ${id(6, 'ms', 'n')}, id, user_id, ${id(8, `${began}::bigint`, `('x' || right(user_id::text, 12))::bit(48)::bigint`)}, payment, (1 + (n % 10 = 0)::int) * ${priceCents}, at,
  case payment when 'REFUNDED' then at end
from placed join story using (story) where payment is not null order by n;
insert into ledger_entries (id, account_id, kind, amount_cents, balance_after_cents, payment_id, sequence, created_at)
select id, account_id, kind, amount, balance, payment_id, sequence, ${at('ms')} from entry order by n, step;
insert into house_entries (entry_id, account, amount_cents)
select id, case kind when 'TOP_UP' then 'CASH' else 'SALES' end, -amount_cents from ledger_entries;
insert into known_orders (order_id, user_id, closed) select id, user_id, payment is null or payment = 'REFUNDED' from placed join story using (story);
insert into idempotency_keys (user_id, mutation, key, input_hash, created_at)
select user_id, 'topUp', 'top-up ' || n, md5(n::text), ${at('ms')} from movement where kind = 'TOP_UP';
${handled('payment')}`,

  // The changes were written by as many transactions as there have been, oldest first.
  delivery: `
insert into couriers (id, name, phone, transport, user_id, off_duty, free_since)
select ${courier('n')}, 'Courier ' || n, '+49301234567', (array['FOOT', 'BICYCLE', 'SCOOTER', 'CAR'])[1 + n % 4], ${courierAccount('n')},
  n % 5 = 0, now() - n * interval '1 s' from generate_series(1, ${sizes.couriers}) n;
create temp table brought as
select p.*, s.has_courier, s.is_late, s.is_open, s.payment, s.has_delivery, ${id(9, 'ms', 'n')} as delivery_id,
  case when not has_courier then null when is_open then ${courier(`${sizes.orders} - n + 1`)} else ${courier(`1 + n % ${sizes.couriers}`)} end as courier_id
from placed p join story s using (story);
insert into known_orders (order_id, user_id, address, paid, closed)
select id, user_id, 'Long Lane ' || n, payment <> 'INSUFFICIENT_FUNDS', payment is null or payment <> 'SUCCESS' from brought;
insert into deliveries (id, order_id, user_id, courier_id, status, address, sequence, created_at, updated_at, deadline, attempts)
select delivery_id, id, user_id, courier_id, delivery_status, 'Long Lane ' || n, delivery_sequence, at, at,
  case when not has_courier then null when is_late then now() - interval '1 min' when is_open then now() + interval '2 h' else at + interval '2 h' end, n / 4 % 2
from brought join change using (story) where is_last and has_delivery order by n;
insert into delivery_changes (delivery_id, sequence, previous, status, at, by, courier_id, xid)
select delivery_id, delivery_sequence, lag(delivery_status) over (partition by n order by delivery_sequence), delivery_status, at,
  case when delivery_sequence = 1 then 'system' else 'courier' end, case when delivery_sequence > 1 then courier_id end,
  (3 + n * (pg_current_xact_id()::text::bigint - 3) / ${sizes.orders})::text::xid8
from brought join change using (story) where delivery_status is not null order by n, delivery_sequence;
${handled('delivery')}`,
};

/**
 * What is put back once the rows are there, last first: foreign keys, for PostgreSQL then holds all rows against each
 * other at once, and indexes, which are then sorted at once. What a view stands on stays.
 */
const setAside = `
select * from (
  select case contype when 'f' then 1 else 2 end as place, format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
    format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as add
  from pg_constraint c where contype in ('f', 'u', 'p') and connamespace = 'public'::regnamespace
    and not exists (select from pg_depend where refclassid = 'pg_constraint'::regclass and refobjid = c.oid and classid = 'pg_rewrite'::regclass)
  union all
  select 3, format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
  from pg_index where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
    and not exists (select from pg_constraint where conindid = indexrelid)) later
order by place`;

/** What a service's database holds. */
export interface Grown {
  /** The tables that have got more than 1,000 rows, each with their number: those that grow. */
  tables: ReadonlyMap<string, number>;
  /** Indexes of a part of their table: one does not grow, where what is in it is what is open. */
  narrow: ReadonlySet<string>;
}

/**
 * Brings a service's empty database to what it would be after 100,000 orders. As where a dump is restored, foreign
 * keys are put back at the end, which holds all rows against them at once.
 */
export async function generate(service: Service, url: string): Promise<Grown> {
  await migrate({ url, directory: projectPath('prisma', service, 'migrations'), service });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: later } = await client.query<{ drop: string; add: string }>(setAside);
    // What they are judged by are the statistics of this history, whatever becomes of it meanwhile.
    await client.query(`
      do $$ declare name regclass; begin
        for name in select oid from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace loop
          execute format('alter table %s set (autovacuum_enabled = false)', name);
        end loop;
      end $$`);
    await client.query(`set work_mem = '128MB'; set maintenance_work_mem = '128MB'`);
    await client.query(later.map(({ drop }) => drop).join(';'));
    const filling = `${service === 'user' ? '' : basis}${fill[service]}`;
    await client.query(`${filling}; discard temp; analyze`);
    await client.query(
      later
        .toReversed()
        .map(({ add }) => add)
        .join(';'),
    );
    const { rows: tables } = await client.query<{ name: string; rows: number }>(`
      select relname as name, reltuples as rows from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples > 1000`);
    const { rows: indexes } = await client.query<{ name: string }>(`
      select indexrelid::regclass::text as name from pg_index where indpred is not null`);
    return {
      tables: new Map(tables.map(({ name, rows }) => [name, rows])),
      narrow: new Set(indexes.map(({ name }) => name)),
    };
  } finally {
    await client.end();
  }
}
