import type { System } from '../system.js';
import { busiestCustomer, someCourier, someCourierAccount, someCustomer } from './history.js';

/** A statement that has run so often on a connection may get a plan that is made without its values: five times. */
export const times = 6;

const page = (fields: string) => `totalCount @skip(if: $next) pageInfo { endCursor } nodes { ${fields} }`;
const list = (field: string, fields = 'id') =>
  `query ($after: Cursor, $next: Boolean = false) { ${field.replace(')', ', after: $after)')} { ${page(fields)} } }`;

const day = 86_400_000;
const time = (ms: number) => `"${new Date(Date.now() - ms).toISOString()}"`;
const always = `since: ${time(7 * day)}, until: ${time(0)}`;
const anHour = `since: ${time(3 * day)}, until: ${time(3 * day - 3_600_000)}`;

const anOrder = `id status total { amount } deliveryStatus items { quantity product { id name } } user { id firstName }
  payment { id status order { id status } }
  delivery { id status courier { id name location { at estimatedAt } } history { status at by } }`;
const aDelivery =
  'id status deadline estimatedAt courier { id status } order { id status user { id } } history { status }';

/** Of customers and staff. */
const orders: [string, ...string[]] = [
  list('orders(first: 20)', anOrder),
  ...['status: PAID', 'status: CANCELLED', always, anHour, `status: COMPLETED, ${anHour}`].map((filter) =>
    list(`orders(filter: { ${filter} })`),
  ),
];
/** Of customers, couriers and staff. */
const deliveries: [string, ...string[]] = [
  list('deliveries(first: 20)', aDelivery),
  ...[
    'status: [DELIVERED]',
    'status: [PENDING, IN_TRANSIT, OUT_FOR_DELIVERY]',
    'status: [CANCELLED, FAILED]',
    'overdue: true',
    'overdue: false',
    `courierId: "${someCourier}"`,
  ].map((filter) => list(`deliveries(filter: { ${filter} })`)),
];
const customers = [
  `query ($after: Cursor, $next: Boolean = false) { me { id orders(first: 20, after: $after) { ${page('id')} } } }`,
  `query ($after: Cursor, $next: Boolean = false) { me { id orders(status: PAID, after: $after) { ${page('id')} } } }`,
  `query ($after: Cursor, $next: Boolean = false) { myAccount { id balance { amount } user { id } entries(after: $after) {
    ${page('id kind amount { amount } payment { id status order { id } }')} } } }`,
  list('products(first: 20)'),
  list('products(search: "Product 1")'),
];
const staffs = [
  list(`orders(filter: { userId: "${busiestCustomer}" })`),
  list(`orders(filter: { userId: "${busiestCustomer}", status: COMPLETED })`),
  list(`deliveries(filter: { courierId: "${someCourier}", status: [DELIVERED], overdue: false })`),
  `query ($after: Cursor) { orders(after: $after) { pageInfo { endCursor } nodes { user { id
    orders(first: 3) { totalCount nodes { id } } account { id entries(first: 2) { totalCount nodes { id } } } } } } }`,
  list(
    'couriers(first: 20)',
    `id name status user { id }
    all: deliveries(first: 3) { totalCount nodes { id } } now: deliveries(active: true) { totalCount nodes { id } }`,
  ),
  ...['AVAILABLE', 'BUSY', 'OFFLINE'].map((status) => list(`couriers(status: ${status})`)),
  list('users(first: 20)', 'id email'),
  list('users(search: "mer1234@EXAMPLE")', 'id email'),
  '{ availableCourier { id } }',
  '{ availableCourier(transport: CAR) { id } }',
];

/** Asks for every list as customers, couriers and staff do, the pages that follow too. */
export async function askLists(system: System): Promise<void> {
  const [customer, busiest] = await Promise.all(
    [someCustomer, busiestCustomer].map((id) => system.sign({ id })),
  );
  const courier = await system.sign({ id: someCourierAccount, role: 'COURIER' });
  const staff = system.staffToken;
  const asked = [
    ...[...orders, ...deliveries, ...customers].map((query) => ({ query, token: customer })),
    ...[orders[0], deliveries[0], ...customers].map((query) => ({ query, token: busiest })),
    ...deliveries.map((query) => ({ query, token: courier })),
    ...[...orders, ...deliveries, ...staffs].map((query) => ({ query, token: staff })),
  ];
  for (const { query, token } of asked) {
    for (let time = 0; time < times; time += 1) {
      const first = await system.ask(query, {}, token);
      const after = /"endCursor":"([^"]+)"/.exec(JSON.stringify(first))?.[1];
      if (after !== undefined) await system.ask(query, { after, next: true }, token);
    }
  }
}
