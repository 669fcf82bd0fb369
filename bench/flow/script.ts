/**
 * The life of one order as a pgbench script: the statements of the services (subgraphs/order/{commands,changes}.ts,
 * subgraphs/payment/{consumers,ledger}.ts, subgraphs/delivery/{consumers,assign,dispatch,changes}.ts,
 * platform/{inbox,outbox,idempotency}.ts), for one event and one order each time, with one transaction a step: all
 * rows and columns that they write. Each service's tables are in a schema of its name, in one database, since a client
 * of pgbench has one connection.
 *
 * What differs, each time to the floor's advantage: a client relays its own events by their ids, where a relay
 * looks for the oldest; a delivery is assigned and moved by its id, where workers look for those that can be; whose
 * turn it is follows from the time alone, not from where couriers are; how long a courier needs is not computed; an
 * update that would change nothing is left out; nobody listens to NOTIFY, makes JSON or reads it; and no courier says
 * where it is, which is no part of an order's life.
 */

/** Variables that the script is run with. */
export interface ScriptVariables {
  /** Rows of the outbox with the first order's events; see seed.ts. */
  first: number;
  /** So many orders has each client. */
  each: number;
  customers: number;
  products: number;
}

type Service = 'order' | 'payment' | 'delivery';
const table = (service: Service, name: string): string => `"${service}".${name}`;

const text = (...lines: string[]): string => lines.join('\n');

/** The value of an event: what a service writes, in length. pgbench would take a colon and a word for a variable. */
function eventValue(service: Service, topic: string, data: object): string {
  const id = '00000000-0000-4000-8000-000000000000';
  const event = {
    ...{ specversion: '1.0', id, source: `/doorstep/${service}`, type: topic },
    ...{ time: '2026-11-21T08:00:00.000Z', datacontenttype: 'application/json' },
    data: { orderId: id, userId: id, ...data },
  };
  return JSON.stringify(event).replace(/:(?=\w)/g, ': ');
}

const headers = '{"content-type":"application/cloudevents+json; charset=utf-8"}';

/** Writes an event to a service's outbox; its row and its id become :<name>_row and :<name>_id. */
const emit = (service: Service, name: string, topic: string, data: object): string =>
  text(
    `insert into ${table(service, 'outbox')} (event_id, topic, key, value, headers)`,
    `select * from unnest(array[gen_random_uuid()], array['${topic}'], array[:created_key]::text[],`,
    `  array['${eventValue(service, topic, data)}'], array['${headers}']::jsonb[])`,
    `returning id as row, event_id as id \\gset ${name}_`,
  );

/** Takes an event from a service's outbox to the bus: two statements, each a transaction of its own. */
const relay = (service: Service, row: string, name = 'relayed', also = ''): string =>
  text(
    `select o.id as row, event_id as id, topic, key, value, headers${also}`,
    `from ${table(service, 'outbox')} o where o.id = :${row} \\gset ${name}_`,
    `delete from ${table(service, 'outbox')} where id = any(array[:${name}_row]::bigint[]);`,
  );

const transaction = (...statements: string[]): string => text('begin;', ...statements, 'commit;');

/** A group handles an event: the inbox and the effects, in one transaction. */
const consume = (service: Service, group: string, event: string, ...effects: string[]): string =>
  transaction(
    `insert into ${table(service, 'inbox')} (group_name, event_id)`,
    `select '${group}', * from unnest(array[:${event}]::uuid[]) as e (id) order by id`,
    'on conflict do nothing returning event_id;',
    ...effects,
  );

const knowOrder = text(
  `insert into ${table('payment', 'known_orders')} (order_id, user_id)`,
  'select * from unnest(array[:created_order]::uuid[], array[:created_key]::uuid[]) order by 1',
  'on conflict (order_id) do nothing;',
);

const charge = text(
  `insert into ${table('payment', 'accounts')} (user_id)`,
  'select distinct u.id from unnest(array[:created_key]::uuid[]) as u (id) order by u.id',
  'on conflict (user_id) do nothing;',
  `insert into ${table('payment', 'known_orders')} as k (order_id, user_id, closed)`,
  'select *, false from unnest(array[:created_order]::uuid[], array[:created_key]::uuid[]) order by 1',
  'on conflict (order_id) do update set closed = k.closed or excluded.closed returning order_id, closed;',
  `select id, user_id, balance_cents::float8::bigint as balance, entries from ${table('payment', 'accounts')}`,
  'where user_id = any(array[:created_key]::uuid[]) order by id for update \\gset account_',
  `select order_id from ${table('payment', 'payments')} where order_id = any(array[:created_order]::uuid[]);`,
  `insert into ${table('payment', 'payments')} (order_id, user_id, account_id, status, amount_cents)`,
  'select * from unnest(array[:created_order]::uuid[], array[:created_key]::uuid[], array[:account_id]::uuid[],',
  "  array['SUCCESS'], array[500]::bigint[]) returning id, order_id \\gset payment_",
  '\\set left :account_balance - 500',
  '\\set entry :account_entries + 1',
  `update ${table('payment', 'accounts')} a set balance_cents = n.balance_cents, entries = n.entries, updated_at = now()`,
  'from unnest(array[:account_id]::uuid[], array[:left]::bigint[], array[:entry]::int[])',
  '  as n (id, balance_cents, entries) where a.id = n.id;',
  'with entry as (',
  `  insert into ${table('payment', 'ledger_entries')}`,
  '    (account_id, kind, amount_cents, payment_id, balance_after_cents, sequence)',
  '  select account_id, kind, amount_cents, payment_id, balance_cents, sequence',
  "  from unnest(array[:account_id]::uuid[], array['CHARGE'], array[-500]::bigint[], array[:payment_id]::uuid[],",
  '    array[:left]::bigint[], array[:entry]::int[]) with ordinality',
  '    as n (account_id, kind, amount_cents, payment_id, balance_cents, sequence, place) order by place',
  '  returning id, kind, amount_cents',
  ')',
  `insert into ${table('payment', 'house_entries')} (entry_id, account, amount_cents)`,
  "select id, case kind when 'TOP_UP' then 'CASH' else 'SALES' end, -amount_cents from entry;",
  emit('payment', 'paid', 'payment.completed', {
    paymentId: '00000000-0000-7000-8000-000000000000',
    ...{ status: 'SUCCESS', amountCents: 500, currency: 'EUR' },
  }),
);

/** What an order learns of its payment, or of its delivery; the courier's account is SQL. */
interface Fact {
  status: string;
  deliveryStatus?: string;
  deliverySequence?: number;
  courierUser?: string;
}

/** An order learns a fact. */
const learn = ({ status, deliveryStatus, deliverySequence = 0, courierUser = 'null' }: Fact): string => {
  const copy = deliveryStatus === undefined ? 'null' : `'${deliveryStatus}'`;
  return text(
    'select id, user_id, status, delivery_status, delivery_sequence, courier_user_id, sequence',
    `from ${table('order', 'orders')} where id = any(array[:created_order]::uuid[]) order by id for update \\gset locked_`,
    '\\set sequence :locked_sequence + 1',
    'with change as (',
    '  select *, row_number() over (partition by user_id order by place desc) as nth_last',
    `  from unnest(array[:created_order]::uuid[], array[:sequence]::int[], array['${status}'], array[${copy}]::text[],`,
    '    array[:created_key]::uuid[]) with ordinality as c (order_id, sequence, status, delivery_status, user_id, place)',
    '), feed as (',
    `  insert into ${table('order', 'order_feeds')} as f (user_id, sequence)`,
    '  select user_id, count(*) from change group by user_id order by user_id',
    '  on conflict (user_id) do update set sequence = f.sequence + excluded.sequence returning user_id, sequence',
    ')',
    `insert into ${table('order', 'order_changes')} (order_id, sequence, status, delivery_status, user_id, user_sequence)`,
    'select order_id, c.sequence, status, delivery_status, user_id, feed.sequence + 1 - nth_last',
    'from change c join feed using (user_id);',
    `update ${table('order', 'orders')} o set status = n.status, delivery_status = n.delivery_status,`,
    '  delivery_sequence = n.delivery_sequence, courier_user_id = n.courier_user_id, sequence = n.sequence,',
    '  updated_at = now()',
    `from unnest(array[:created_order]::uuid[], array['${status}'], array[${copy}]::text[], array[${deliverySequence}],`,
    `  array[:sequence]::int[], array[${courierUser}]::uuid[])`,
    '  as n (id, status, delivery_status, delivery_sequence, sequence, courier_user_id) where o.id = n.id;',
    emit('order', 'updated', 'order.updated', { sequence: 1, status }),
  );
};

/** What delivery hears of an order; `address` and `paid` are SQL. */
const remember = (address: string, paid: string): string =>
  text(
    `insert into ${table('delivery', 'known_orders')} as k (order_id, user_id, address, paid, closed)`,
    'select *, paid is false from unnest(array[:created_order]::uuid[], array[:created_key]::uuid[],',
    `  array[${address}]::text[], array[${paid}]::boolean[]) as n (order_id, user_id, address, paid) order by order_id`,
    'on conflict (order_id) do update set address = coalesce(k.address, excluded.address),',
    '  paid = coalesce(k.paid, excluded.paid), closed = k.closed or excluded.closed',
    'returning order_id, user_id, address, paid, closed \\gset known_',
  );

/** The history and the event of a delivery's change; `previous` and `courier` are SQL. */
const record = (sequence: number, previous: string, status: string, by: string, courier: string): string =>
  text(
    `insert into ${table('delivery', 'delivery_changes')} (delivery_id, sequence, previous, status, reason, by, courier_id, xid)`,
    'select delivery_id, sequence, previous, status, reason, by, courier_id, greatest(pg_current_xact_id(), (',
    `  select xid from ${table('delivery', 'delivery_changes')} b where b.delivery_id = n.delivery_id`,
    '  order by b.sequence desc limit 1))',
    `from unnest(array[:delivery_id]::uuid[], array[${sequence}], array[${previous}]::text[], array['${status}'],`,
    `  array[null]::text[], array['${by}'], array[${courier}]::uuid[]) with ordinality`,
    '  as n (delivery_id, sequence, previous, status, reason, by, courier_id, place) order by place;',
    emit('delivery', 'moved', 'delivery.status.updated', {
      deliveryId: '00000000-0000-7000-8000-000000000000',
      courierUserId: courier === 'null' ? null : '00000000-0000-4000-8000-000000000000',
      ...{ sequence, status },
    }),
  );

const begin = text(
  `insert into ${table('delivery', 'deliveries')} (order_id, user_id, address, status)`,
  "select *, 'PENDING' from unnest(array[:created_order]::uuid[], array[:created_key]::uuid[], array[:known_address]::text[])",
  'on conflict (order_id) do nothing returning id, order_id, user_id \\gset delivery_',
  record(1, 'null', 'PENDING', 'system', 'null'),
);

const active = "status in ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY')";

/** Locks the delivery; `name` is where its columns go. */
const lockDelivery = (where: string, name: string): string =>
  text(
    'select d.id, d.order_id, d.user_id, d.courier_id as courier, d.status, d.sequence, d.attempts, d.address,',
    `  (select k.user_id from ${table('delivery', 'couriers')} k where k.id = d.courier_id) as courier_user`,
    `from ${table('delivery', 'deliveries')} d where d.id = :delivery_id and ${where} for update of d \\gset ${name}_`,
  );

/** Seconds to the door, and the default deadline in ms: how they come about is nothing to PostgreSQL. */
const [secondsToDoor, deadlineMs] = [600, 7_200_000];

const assign = transaction(
  'select pg_advisory_xact_lock(7310003);',
  lockDelivery("d.courier_id is null and d.status = 'PENDING'", 'waiting'),
  `select id, transport from ${table('delivery', 'couriers')} c`,
  `where not c.off_duty and not exists (select from ${table('delivery', 'deliveries')} b`,
  `  where b.courier_id = c.id and b.${active}) order by c.free_since, c.id limit 1 \\gset free_`,
  `update ${table('delivery', 'deliveries')} d set courier_id = n.courier_id,`,
  `  deadline = now() + ${deadlineMs} * interval '1 ms', estimated_at = now() + n.seconds * interval '1 s',`,
  '  updated_at = now()',
  `from unnest(array[:waiting_id]::uuid[], array[:free_id]::uuid[], array[${secondsToDoor}]::float8[])`,
  '  as n (id, courier_id, seconds) where d.id = n.id;',
);

/** A courier takes a delivery one step further. Of the last steps nothing new is said about the time. */
const move = (sequence: number, previous: string, status: string): string =>
  transaction(
    lockDelivery(`d.courier_id is not null and d.${active}`, 'moved'),
    `update ${table('delivery', 'deliveries')} d set status = n.status, sequence = n.sequence, attempts = n.attempts,`,
    '  courier_id = n.courier_id, deadline = case when n.courier_id is not null then d.deadline end,',
    '  estimated_at = case when n.courier_id is not null',
    "    then coalesce(now() + n.seconds * interval '1 s', d.estimated_at) end, updated_at = now()",
    `from unnest(array[:delivery_id]::uuid[], array['${status}'], array[${sequence}], array[:moved_attempts]::int[],`,
    `  array[:moved_courier]::uuid[], array[${status === 'IN_TRANSIT' ? secondsToDoor : 'null'}]::float8[])`,
    '  as n (id, status, sequence, attempts, courier_id, seconds) where d.id = n.id;',
    ...(status === 'DELIVERED'
      ? [
          `update ${table('delivery', 'couriers')} set free_since = now()`,
          'where id = any(array[:moved_courier]::uuid[]);',
        ]
      : []),
    record(sequence, `'${previous}'`, status, 'courier', ':moved_courier'),
  );

/** A delivery's event on its way: to the bus, to the order's copy, and the order's own event to the bus. */
const copy = (deliveryStatus: string, deliverySequence: number): string =>
  text(
    relay('delivery', 'moved_row'),
    consume(
      'order',
      'order',
      'moved_id',
      learn({
        status: deliveryStatus === 'DELIVERED' ? 'COMPLETED' : 'PAID',
        ...{ deliveryStatus, deliverySequence },
        ...(deliveryStatus !== 'PENDING' && { courierUser: ':moved_courier_user' }),
      }),
    ),
    relay('order', 'updated_row'),
  );

/** From the moment that an order's events have left the outbox. */
const afterwards = text(
  consume('payment', 'payment-orders', 'created_id', knowOrder),
  consume('payment', 'payment', 'created_id', charge),
  consume('delivery', 'delivery', 'created_id', remember("'Long Lane 1'", 'null')),
  relay('payment', 'paid_row'),
  consume('order', 'order', 'paid_id', learn({ status: 'PAID' })),
  relay('order', 'updated_row'),
  consume('delivery', 'delivery', 'paid_id', remember('null', 'true'), begin),
  copy('PENDING', 1),
  assign,
  move(2, 'PENDING', 'IN_TRANSIT'),
  copy('IN_TRANSIT', 2),
  move(3, 'IN_TRANSIT', 'OUT_FOR_DELIVERY'),
  copy('OUT_FOR_DELIVERY', 3),
  move(4, 'OUT_FOR_DELIVERY', 'DELIVERED'),
  copy('DELIVERED', 4),
  '',
);

/** Both events of a new order; `also` is read from the first. */
const relayBoth = (also = ''): string =>
  text(relay('order', 'first_row', 'created', also), relay('order', 'second_row'));

/** The life of an order that stands in the database, with its two events in the outbox. */
export const fromTheOutbox = text(
  '\\set n :n + 1',
  '\\set first_row :first + 2 * (:client_id * :each + :n - 1)',
  '\\set second_row :first_row + 1',
  // The one thing that a consumer has to read from the event.
  relayBoth(", value::json->'data'->>'orderId' as order"),
  afterwards,
);

const customer = "('00000000-0000-4000-8000-' || lpad(to_hex(:customer::int), 12, '0'))::uuid";
const product = "('00000000-0000-7000-8000-' || lpad(to_hex(:product::int), 12, '0'))::uuid";
const created = eventValue('order', 'order.created', {
  ...{ totalCents: 500, currency: 'EUR', deliveryAddress: 'Long Lane 1' },
});
const updated = eventValue('order', 'order.updated', { sequence: 1, status: 'PENDING' });

/** The life of an order from `createOrder` on, with an idempotency key. */
export const withCreateOrder = text(
  '\\set n :n + 1',
  '\\set customer random(1, :customers)',
  '\\set product random(1, :products)',
  transaction(
    `insert into ${table('order', 'idempotency_keys')} (user_id, mutation, key, input_hash)`,
    `values (${customer}, 'createOrder', :client_id || '-' || :n || '-' || :first, repeat('0', 64)) on conflict do nothing;`,
    `select id::text, name, price_cents, available from ${table('order', 'products')}`,
    `where id = any(array[${product}]) order by id for share;`,
    `insert into ${table('order', 'orders')} (user_id, status, total_cents, delivery_address)`,
    `values (${customer}, 'PENDING', 500, 'Long Lane 1') returning id as order, user_id as key \\gset created_`,
    'with feed as (',
    `  insert into ${table('order', 'order_feeds')} as f (user_id, sequence) values (${customer}, 1)`,
    '  on conflict (user_id) do update set sequence = f.sequence + 1 returning user_id, sequence',
    '), change as (',
    `  insert into ${table('order', 'order_changes')} (order_id, sequence, status, user_id, user_sequence)`,
    "  select :created_order, 1, 'PENDING', user_id, sequence from feed",
    ')',
    `insert into ${table('order', 'order_items')} (order_id, position, product_id, quantity, price_cents)`,
    `values (:created_order, 0, ${product}, 1, 500);`,
    'with written as (',
    `  insert into ${table('order', 'outbox')} (event_id, topic, key, value, headers)`,
    `  values (gen_random_uuid(), 'order.created', :created_key, '${created}', '${headers}'),`,
    `    (gen_random_uuid(), 'order.updated', :created_key, '${updated}', '${headers}') returning id)`,
    'select min(id) as first_row, max(id) as second_row from written \\gset',
    `update ${table('order', 'idempotency_keys')} set result_id = :created_order`,
    `where user_id = ${customer} and mutation = 'createOrder' and key = :client_id || '-' || :n || '-' || :first;`,
  ),
  // What the answer is made of.
  `select id, user_id, status, delivery_status, total_cents, delivery_address, created_at, updated_at`,
  `from ${table('order', 'orders')} where id = any(array[:created_order]::uuid[]);`,
  relayBoth(),
  afterwards,
);
