import type { ServiceName } from '../../platform/config.js';

/** An id, as SQL has it. */
export const id = (n: number): string => `'00000000-0000-7000-8000-${String(n).padStart(12, '0')}'`;

/** Rows that are right: what an invariant is broken on. */
export const standing: Record<ServiceName, string[]> = {
  user: [
    `insert into users (id, email, password_hash, first_name, last_name) values (${id(1)}, 'rosa@example.org', 'x', 'Rosa', 'R')`,
  ],
  order: [
    `insert into products (id, name, price_cents) values (${id(1)}, 'Soup', 650)`,
    `insert into orders (id, user_id, status, total_cents, delivery_address) values (${id(2)}, ${id(9)}, 'PENDING', 650, 'Long Lane 1')`,
    `insert into order_changes (order_id, sequence, status, user_id, user_sequence) values (${id(2)}, 1, 'PENDING', ${id(9)}, 1)`,
    `insert into order_feeds (user_id, sequence) values (${id(9)}, 1)`,
    `insert into order_items (order_id, position, product_id, quantity, price_cents) values (${id(2)}, 0, ${id(1)}, 1, 650)`,
  ],
  payment: [
    `insert into accounts (id, user_id, balance_cents, entries) values (${id(1)}, ${id(9)}, 100, 2)`,
    `insert into payments (id, order_id, user_id, account_id, status, amount_cents) values (${id(2)}, ${id(3)}, ${id(9)}, ${id(1)}, 'SUCCESS', 50)`,
    `insert into ledger_entries (id, account_id, sequence, kind, amount_cents, balance_after_cents) values (${id(4)}, ${id(1)}, 1, 'TOP_UP', 150, 150)`,
    `insert into ledger_entries (id, account_id, sequence, kind, amount_cents, balance_after_cents, payment_id) values (${id(5)}, ${id(1)}, 2, 'CHARGE', -50, 100, ${id(2)})`,
    `insert into house_entries (entry_id, account, amount_cents) values (${id(4)}, 'CASH', -150), (${id(5)}, 'SALES', 50)`,
  ],
  delivery: [
    `insert into couriers (id, name) values (${id(1)}, 'Anna'), (${id(2)}, 'Ben')`,
    `insert into known_orders (order_id, user_id) values (${id(3)}, ${id(9)}), (${id(4)}, ${id(9)}), (${id(5)}, ${id(9)})`,
    `insert into deliveries (id, order_id, user_id, status, address, courier_id) values
       (${id(6)}, ${id(3)}, ${id(9)}, 'PENDING', 'Long Lane 1', ${id(1)}), (${id(7)}, ${id(4)}, ${id(9)}, 'PENDING', 'Long Lane 1', null)`,
    `insert into delivery_changes (delivery_id, sequence, status, by) values (${id(6)}, 1, 'PENDING', 'system'), (${id(7)}, 1, 'PENDING', 'system')`,
  ],
  event: [
    `insert into events (id, at, type, source, topic, user_id, data)
     values (${id(1)}, '2026-11-27T08:00:00Z', 'user.registered', '/doorstep/user', 'user.registered', ${id(9)}, '{}')`,
    `insert into event_counts (type) values ('user.registered')`,
  ],
};

export const addEvent = (event: string, at = '2026-11-27T08:00:00Z', type = 'user.registered') =>
  `insert into events (id, at, type, source, topic, user_id, data)
   values (${event}, '${at}', '${type}', '/doorstep/user', 'user.registered', ${id(9)}, '{}')`;
export const addKnownUser = (role: string, rights: number) =>
  `insert into known_users (user_id, role, rights) values (${id(1)}, ${role}, ${rights})`;
export const addUser = (columns: string, values: string) =>
  `insert into users (password_hash, first_name, last_name, ${columns}) values ('x', 'Rosa', 'R', ${values})`;
export const addItem = (quantity: number, position = 1, price = 650) =>
  `insert into order_items (order_id, position, product_id, quantity, price_cents) values (${id(2)}, ${position}, ${id(1)}, ${quantity}, ${price})`;
export const addEntry = (kind: string, amount: number, payment: string, sequence = 3, before = 100) =>
  `insert into ledger_entries (id, account_id, sequence, kind, amount_cents, balance_after_cents, payment_id)
   values (${id(6)}, ${id(1)}, ${sequence}, '${kind}', ${amount}, ${before + amount}, ${payment})`;
export const addHouseEntry = (amount: number) =>
  `insert into house_entries (entry_id, account, amount_cents) values (${id(6)}, 'CASH', ${amount})`;
export const addPayment = (order: string, amount = 1) =>
  `insert into payments (order_id, user_id, account_id, status, amount_cents) values (${order}, ${id(9)}, ${id(1)}, 'SUCCESS', ${amount})`;
export const addChange = (sequence: number, previous: string, status: string) =>
  `insert into delivery_changes (delivery_id, sequence, previous, status, by) values (${id(6)}, ${sequence}, ${previous}, '${status}', 'courier')`;
export const addOrderChange = (
  sequence: number,
  status: string,
  order = id(2),
  user = id(9),
  userSequence = 2,
) =>
  `insert into order_changes (order_id, sequence, status, user_id, user_sequence)
   values (${order}, ${sequence}, '${status}', ${user}, ${userSequence})`;
