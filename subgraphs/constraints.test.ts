import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServiceName, serviceNames } from '../platform/config.js';
import type { Database } from '../platform/postgres/database.js';
import { attempt, serviceDatabase } from '../test/support/service.js';
import {
  addChange,
  addEntry,
  addEvent,
  addHouseEntry,
  addItem,
  addKnownUser,
  addOrderChange,
  addPayment,
  addUser,
  id,
  standing,
} from '../test/support/standing.js';

/** It breaks one invariant; the constraint or message that must refuse it. */
type Broken = [ServiceName, string, string[], RegExp];
const broken: Broken[] = [
  ['user', 'one address for two users', [addUser('email', `'rosa@example.org'`)], /users_email_key/],
  ['user', 'an address with capitals', [addUser('email', `'Ben@example.org'`)], /users_email_check/],
  ['user', 'an unknown role', [addUser('email, role', `'ben@example.org', 'KING'`)], /users_role_check/],
  ['user', 'an account without a name', ['update users set first_name = null'], /users_erased/],
  ['user', 'a deleted one with an address', ['update users set deleted_at = now()'], /users_erased/],
  [
    'user',
    'two refresh tokens of a session that are unused',
    [
      `insert into refresh_tokens (token_hash, user_id, family_id, expires_at)
       values ('h', ${id(1)}, ${id(2)}, now()), ('i', ${id(1)}, ${id(2)}, now())`,
    ],
    /refresh_tokens_unused/,
  ],
  [
    'user',
    'more wrong passwords than are let pass',
    [`insert into throttles (subject, most, failures) values ('a', 1, array[now(), now()])`],
    /throttles_check/,
  ],
  [
    'user',
    'a refresh token of nobody',
    [`insert into refresh_tokens (token_hash, user_id, expires_at) values ('h', ${id(8)}, now())`],
    /refresh_tokens_user_id_fkey/,
  ],

  ['order', 'an item of quantity 0', [addItem(0)], /order_items_quantity_check/],
  ['order', 'an item of quantity 1001', [addItem(1001)], /order_items_quantity_check/],
  ['order', 'a hundred and first item', [addItem(1, 100)], /order_items_position_check/],
  ['order', 'an item for nothing', [addItem(1, 1, 0)], /order_items_price_cents_check/],
  ['order', 'an order for nothing', ['update orders set total_cents = 0'], /orders_total_cents_check/],
  ['order', 'an unknown status', [`update orders set status = 'LOST'`], /orders_status_check/],
  ['order', 'a status that no change tells of', [`update orders set status = 'PAID'`], /orders_last_change/],
  [
    'order',
    'a status of the delivery that no change tells of',
    [`update orders set delivery_status = 'PENDING', delivery_sequence = 1`],
    /orders_last_change/,
  ],
  [
    'order',
    'a status without its change',
    [`update orders set status = 'PAID', sequence = 2`],
    /orders_last_change/,
  ],
  [
    'order',
    'a status that is not its change’s',
    [addOrderChange(2, 'CANCELLED'), `update orders set status = 'PAID', sequence = 2`],
    /orders_last_change/,
  ],
  [
    'order',
    'an order without any change',
    [
      `insert into orders (user_id, status, total_cents, delivery_address) values (${id(9)}, 'PENDING', 1, 'a')`,
    ],
    /orders_last_change/,
  ],
  [
    'order',
    'a hole in the history',
    [addOrderChange(3, 'PAID')],
    /order_changes_order_id_previous_sequence_fkey/,
  ],
  ['order', 'a change without its order', [addOrderChange(1, 'PENDING', id(8))], /order_changes_order/],
  [
    'order',
    'a change in the feed of another user',
    [addOrderChange(2, 'PAID', id(2), id(8), 1)],
    /order_changes_order/,
  ],
  [
    'order',
    'two changes in one place of a feed',
    [addOrderChange(2, 'PAID', id(2), id(9), 1)],
    /order_changes_user_sequence/,
  ],
  ['order', 'a hole in a feed', [addOrderChange(2, 'PAID', id(2), id(9), 3)], /order_changes_user_previous/],
  [
    'order',
    'a feed that is longer than its changes',
    ['update order_feeds set sequence = 2'],
    /order_feeds_last_change/,
  ],
  ['order', 'a change of an unknown status', [addOrderChange(2, 'LOST')], /order_changes_status_check/],
  ['order', 'a history that loses its last change', ['delete from order_changes'], /last_change/],
  [
    'order',
    'an order completed before it is delivered',
    [addOrderChange(2, 'COMPLETED'), `update orders set status = 'COMPLETED', sequence = 2`],
    /orders_check/,
  ],
  [
    'order',
    'a delivery status without its number',
    [`update orders set delivery_status = 'PENDING'`],
    /orders_check/,
  ],

  ['payment', 'a negative balance', ['update accounts set balance_cents = -1'], /accounts_balance/],
  [
    'payment',
    'a second account of a user',
    [`insert into accounts (user_id) values (${id(9)})`],
    /accounts_user_id_key/,
  ],
  ['payment', 'a second payment of an order', [addPayment(id(3))], /payments_order_id_key/],
  ['payment', 'a payment of nothing', [addPayment(id(4), 0)], /payments_amount_cents_check/],
  ['payment', 'a refund without its moment', [`update payments set status = 'REFUNDED'`], /payments_check/],
  [
    'payment',
    'a moment of a refund that was not',
    ['update payments set refunded_at = now()'],
    /payments_check/,
  ],
  [
    'payment',
    'a second charge of a payment',
    [addEntry('CHARGE', -50, id(2))],
    /ledger_entries_payment_id_kind_key/,
  ],
  [
    'payment',
    'a second refund of a payment',
    [addEntry('REFUND', 50, id(2)), addEntry('REFUND', 50, id(2), 4, 150).replace(id(6), id(7))],
    /ledger_entries_payment_id_kind_key/,
  ],
  [
    'payment',
    'a charge that gives',
    [
      `${addPayment(id(4))} returning id`,
      addEntry('CHARGE', 50, `(select id from payments where order_id = ${id(4)})`),
    ],
    /ledger_entries_check/,
  ],
  ['payment', 'a top-up that takes', [addEntry('TOP_UP', -50, 'null')], /ledger_entries_check/],
  ['payment', 'a top-up of nothing', [addEntry('TOP_UP', 0, 'null')], /ledger_entries_check/],
  ['payment', 'a charge without its payment', [addEntry('CHARGE', -50, 'null')], /ledger_entries_check/],
  ['payment', 'a changed ledger entry', ['update ledger_entries set amount_cents = 1'], /never changed/],
  ['payment', 'a deleted ledger entry', ['delete from ledger_entries'], /never changed/],
  [
    'payment',
    'an emptied ledger',
    ['set constraints all immediate', 'truncate ledger_entries, house_entries, accounts, payments'],
    /never changed/,
  ],
  ['payment', 'a changed entry of the house', ['update house_entries set amount_cents = 1'], /never changed/],
  ['payment', 'a movement with one side', [addEntry('TOP_UP', 5, 'null')], /ledger_entries_balanced/],
  [
    'payment',
    'a movement whose sides are not alike',
    [addEntry('TOP_UP', 5, 'null'), addHouseEntry(-4)],
    /house_entries_balanced/,
  ],
  [
    'payment',
    'a movement that its account does not count',
    [addEntry('TOP_UP', 5, 'null'), addHouseEntry(-5)],
    /is not counted/,
  ],
  [
    'payment',
    'an account that goes back to an entry of before',
    ['update accounts set entries = 1, balance_cents = 150'],
    /has 2 entries, not 1/,
  ],
  ...(
    [
      ['SUCCESS', 'INSUFFICIENT_FUNDS'],
      ['INSUFFICIENT_FUNDS', 'SUCCESS'],
      ['INSUFFICIENT_FUNDS', 'REFUNDED'],
      ['REFUNDED', 'SUCCESS'],
      ['REFUNDED', 'INSUFFICIENT_FUNDS'],
    ] as const
  ).map(([from, to]): Broken => {
    const refunded = (status: string) => (status === 'REFUNDED' ? 'now()' : 'null');
    return [
      'payment',
      `a payment that goes from ${from} to ${to}`,
      [
        `insert into payments (order_id, user_id, account_id, status, amount_cents, refunded_at)
         values (${id(8)}, ${id(9)}, ${id(1)}, '${from}', 5, ${refunded(from)})`,
        `update payments set status = '${to}', refunded_at = ${refunded(to)} where order_id = ${id(8)}`,
      ],
      new RegExp(`that is ${from} cannot become ${to}`),
    ];
  }),
  ['payment', 'an entry of the house alone', [addHouseEntry(5)], /house_entries_balanced/],
  [
    'payment',
    'an entry that starts with another balance than the last one left',
    [addEntry('TOP_UP', 5, 'null', 3, 90)],
    /ledger_entries_chain/,
  ],
  ['payment', 'an entry after one that is not', [addEntry('TOP_UP', 5, 'null', 4)], /ledger_entries_chain/],
  [
    'payment',
    'two entries in one place',
    [addEntry('TOP_UP', 5, 'null', 2, 150)],
    /ledger_entries_account_sequence/,
  ],
  [
    'payment',
    'a balance that no entry left',
    ['update accounts set balance_cents = 99'],
    /accounts_last_entry/,
  ],
  [
    'payment',
    'an entry that its account does not count',
    [addEntry('TOP_UP', 5, 'null'), addHouseEntry(-5), 'update accounts set balance_cents = 105'],
    /accounts_last_entry|is not counted/,
  ],
  [
    'payment',
    'a balance without entries',
    [`insert into accounts (user_id, balance_cents) values (${id(8)}, 1)`],
    /accounts_begin_empty/,
  ],

  [
    'delivery',
    'a second delivery of an order',
    [
      `insert into deliveries (order_id, user_id, status, address) values (${id(3)}, ${id(9)}, 'PENDING', 'a')`,
    ],
    /deliveries_order_id_key/,
  ],
  [
    'delivery',
    'a delivery of an unknown order',
    [
      `insert into deliveries (order_id, user_id, status, address) values (${id(8)}, ${id(9)}, 'PENDING', 'a')`,
    ],
    /deliveries_order_id_fkey/,
  ],
  [
    'delivery',
    'two active deliveries of a courier',
    [`update deliveries set courier_id = ${id(1)} where id = ${id(7)}`],
    /deliveries_active_courier/,
  ],
  [
    'delivery',
    'a delivery that moves without a courier',
    [`update deliveries set status = 'IN_TRANSIT' where id = ${id(7)}`],
    /deliveries_check/,
  ],
  [
    'delivery',
    'a courier taken off on the way',
    [
      addChange(2, `'PENDING'`, 'IN_TRANSIT'),
      `update deliveries set status = 'IN_TRANSIT', sequence = 2, courier_id = null where id = ${id(6)}`,
    ],
    /deliveries_check/,
  ],
  [
    'delivery',
    'a delivery without any change',
    [
      `insert into deliveries (order_id, user_id, status, address) values (${id(5)}, ${id(9)}, 'PENDING', 'a')`,
    ],
    /deliveries_last_change/,
  ],
  [
    'delivery',
    'a status without its change',
    [`update deliveries set status = 'IN_TRANSIT' where id = ${id(6)}`],
    /deliveries_last_change/,
  ],
  [
    'delivery',
    'a status that is not its change’s',
    [
      addChange(2, `'PENDING'`, 'IN_TRANSIT'),
      `update deliveries set status = 'FAILED', sequence = 2 where id = ${id(6)}`,
    ],
    /deliveries_last_change/,
  ],
  [
    'delivery',
    'a hole in the history',
    [addChange(3, `'PENDING'`, 'IN_TRANSIT')],
    /delivery_changes_delivery_id_previous_sequence_previous_fkey/,
  ],
  [
    'delivery',
    'a change that does not start where the last one ended',
    [addChange(2, `'IN_TRANSIT'`, 'OUT_FOR_DELIVERY')],
    /delivery_changes_delivery_id_previous_sequence_previous_fkey/,
  ],
  [
    'delivery',
    'a change that starts nowhere',
    [addChange(2, 'null', 'IN_TRANSIT')],
    /delivery_changes_check/,
  ],
  [
    'delivery',
    'one change twice',
    [addChange(2, `'PENDING'`, 'IN_TRANSIT'), addChange(2, `'PENDING'`, 'FAILED')],
    /delivery_changes_pkey/,
  ],
  [
    'delivery',
    'a change to an unknown status',
    [addChange(2, `'PENDING'`, 'LOST')],
    /delivery_changes_status_check/,
  ],
  [
    'delivery',
    'a change by somebody else',
    [`update delivery_changes set by = 'nobody'`],
    /delivery_changes_by_check/,
  ],
  [
    'delivery',
    'a change of history',
    [`update delivery_changes set status = 'FAILED'`],
    /deliveries_last_change|previous_fkey/,
  ],
  ['delivery', 'a history that is deleted', ['delete from delivery_changes'], /deliveries_last_change/],
  [
    'delivery',
    'two couriers of one user',
    [`update couriers set user_id = ${id(9)}`],
    /couriers_user_id_key/,
  ],

  ['event', 'an event twice', [addEvent(id(1))], /events_other_pkey/],
  ['event', 'an event of no type', [addEvent(id(2), '2026-11-27T08:00:00Z', '')], /events_type_check/],
  ['event', 'another type of an event', [`update events set type = 'user.deleted'`], /never changed/],
  [
    'event',
    'another user of an event',
    [`update events set user_id = ${id(8)}, data = null`],
    /never changed/,
  ],
  ['event', 'another time of an event', [`update events set at = now(), data = null`], /never changed/],
  ['event', 'other data of an event', [`update events set data = '{"more": 1}'`], /never changed/],
  [
    'event',
    'data again of an erased user',
    ['update events set data = null', `update events set data = '{}'`],
    /never changed/,
  ],
  ['event', 'a deleted event', ['delete from events'], /never changed/],
  ['event', 'a deleted event of odd times', ['delete from events_other'], /never changed/],
  ['event', 'a user of an unknown role', [addKnownUser(`'KING'`, 1)], /role_check/],
  ['event', 'a user of no rights', [addKnownUser('null', 0)], /rights_check/],
  ['event', 'fewer than no events', ['update event_counts set stored = -1'], /event_counts_stored_check/],
];

describe.each(serviceNames)('the database of %s', (service) => {
  let database: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    database = await serviceDatabase(service, (end) => {
      close = end;
    });
  });
  afterAll(() => close());

  test('takes what is right', async () => {
    await expect(attempt(database, ...standing[service])).resolves.toBeUndefined();
  });

  test.each(broken.filter(([name]) => name === service))(
    '%s refuses %s',
    async (_service, _name, statements, refusal) => {
      await expect(attempt(database, ...standing[service], ...statements)).rejects.toThrow(refusal);
    },
  );
});
