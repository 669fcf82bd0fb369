import pg from 'pg';

/** How to reach each service's tables: on the floor's one database by their schema, else on their own. */
export type Urls = (service: 'order' | 'payment' | 'delivery') => string;

/** Who orders what, in every part of the benchmark. */
export const people = { customers: 500, couriers: 2_000, products: 10 };
export const priceCents = 500;

/** Runs statements on a service's database. */
export async function run<R>(url: string, statement: string, values: unknown[] = []): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement, values)).rows as R[];
  } finally {
    await client.end();
  }
}

/** SQL of the id with this number: `kind` 4 is a customer's, 7 of all else. */
const id = (kind: 4 | 7, n: string): string =>
  `('00000000-0000-${kind}000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;

export const customerId = (n: number): string =>
  `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
export const productId = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** Accounts from this number on are couriers'. */
const firstCourierAccount = 1_000_000;

/** Customers who can pay for anything, couriers with an account and a phone each, and products that cost `priceCents`. */
export async function seedPeople(urls: Urls, couriers: number): Promise<void> {
  await run(
    urls('payment'),
    `with opened as (
       insert into accounts (user_id, balance_cents, entries)
       select ${id(4, 'n')}, 1000000000, 1 from generate_series(1, $1::int) n returning id, balance_cents
     ), entry as (
       insert into ledger_entries (account_id, sequence, kind, amount_cents, balance_after_cents)
       select id, 1, 'TOP_UP', balance_cents, balance_cents from opened returning id, amount_cents
     )
     insert into house_entries (entry_id, account, amount_cents) select id, 'CASH', -amount_cents from entry`,
    [people.customers],
  );
  await run(
    urls('delivery'),
    `insert into couriers (id, name, user_id, phone, transport)
     select ${id(7, 'n')}, 'Courier ' || n, ${id(4, `${firstCourierAccount} + n`)}, '+4930' || lpad(n::text, 8, '0'),
       (array['FOOT', 'BICYCLE', 'SCOOTER', 'CAR'])[1 + n % 4]
     from generate_series(1, $1::int) n`,
    [couriers],
  );
  await run(
    urls('order'),
    `insert into products (id, name, price_cents) select ${id(7, 'n')}, 'Product ' || n, ${priceCents}
     from generate_series(1, $1::int) n`,
    [people.products],
  );
}

/**
 * Orders number `first` to `first + count - 1`, with their events in the outbox, in one transaction: all can
 * be seen at once. Answers the row of the outbox that holds the first event; each order has two, one after
 * the other.
 */
export async function insertOrders(url: string, first: number, count: number): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(
      `create temp table new_orders on commit drop as
       select ${id(7, 'n')} as id, ${id(4, '1 + n % $3')} as user_id, ${id(7, '1 + n % $4')} as product_id
       from generate_series($1::int, $1::int + $2::int - 1) n`.replace(/\$(\d)/g, (_, index: string) =>
        String([first, count, people.customers, people.products][Number(index) - 1]),
      ),
    );
    await client.query(`
      insert into orders (id, user_id, status, total_cents, delivery_address)
      select id, user_id, 'PENDING', ${priceCents}, 'Long Lane 1' from new_orders;
      insert into order_items (order_id, position, product_id, quantity, price_cents)
      select id, 0, product_id, 1, ${priceCents} from new_orders;
      with feed as (
        insert into order_feeds as f (user_id, sequence) select user_id, count(*) from new_orders group by user_id
        on conflict (user_id) do update set sequence = f.sequence + excluded.sequence returning user_id, sequence
      )
      insert into order_changes (order_id, sequence, status, user_id, user_sequence)
      select id, 1, 'PENDING', user_id, sequence + 1 - row_number() over (partition by user_id order by id desc)
      from new_orders join feed using (user_id)`);
    const { rows } = await client.query<{ row: string }>(`
      with written as (
        insert into outbox (event_id, topic, key, value, headers)
        select event_id, topic, user_id, json_build_object(
            'specversion', '1.0', 'id', event_id, 'source', '/doorstep/order', 'type', topic,
            'time', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'datacontenttype', 'application/json',
            'data', jsonb_build_object('orderId', id, 'userId', user_id) || data),
          '{"content-type":"application/cloudevents+json; charset=utf-8"}'
        from (
          select id, user_id, topic, data, gen_random_uuid() as event_id from new_orders, (values
            ('order.created', '{"totalCents":${priceCents},"currency":"EUR","deliveryAddress":"Long Lane 1"}'::jsonb),
            ('order.updated', '{"sequence":1,"status":"PENDING"}')) as event (topic, data)
        ) events order by id, topic
        returning id)
      select min(id) as row from written`);
    await client.query('commit');
    return Number(rows[0]?.row);
  } finally {
    await client.end();
  }
}
