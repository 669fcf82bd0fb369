import type { Policy } from './actors.js';

/**
 * Who may see each field of each type that is asked for by a root field, in the words of actors.ts. A field of the
 * schema that is not here fails the test: whoever adds one says who may see it.
 */
export const fields: Record<string, Record<string, Policy>> = {
  Product: all('anyone', 'id name description price available'),
  Order: {
    ...all(
      'concerned',
      'id status items total deliveryAddress deliveryStatus user createdAt updatedAt delivery timeline',
    ),
    payment: 'owner',
  },
  OrderItem: all('concerned', 'product quantity price total'),
  OrderUpdate: all('owner', 'cursor status order'),
  Payment: all('owner', 'id order status amount createdAt refundedAt'),
  Account: all('owner', 'id user balance entries'),
  LedgerEntry: all('owner', 'id kind amount balanceAfter payment createdAt'),
  Delivery: all(
    'concerned',
    'id order status courier address deadline estimatedAt history createdAt updatedAt',
  ),
  DeliveryStatusChange: all('concerned', 'cursor previous status at reason by delivery order'),
  Courier: {
    ...all('concerned', 'id name transport status'),
    ...all('courier', 'phone user deliveries'),
    location: 'position',
  },
  Location: all('position', 'latitude longitude at estimatedAt'),
  Event: all('concerned', 'id cursor type source subject user order data at'),
  EventStats: all('staff', 'total failed perType consumerLag deadLetters'),
  EventCount: all('staff', 'type count'),
  ConsumerLag: all('staff', 'group topic partition lag'),
  DeadLetter: { ...all('staff', 'id group topic reason at'), value: 'admin' },
  User: {
    ...all('known', 'id firstName lastName role createdAt updatedAt deletedAt'),
    ...all('owner', 'email orders account events'),
  },
};

/** Of nothing in the world of the test. */
export const valueless: ReadonlySet<string> = new Set(['User.deletedAt']);

/** What is null without an error for those who see the object and not this of it. */
export const silent: ReadonlySet<string> = new Set([
  ...['Order.payment', 'Courier.phone', 'Courier.user', 'Courier.deliveries', 'User.email'],
]);

/** What is only ever within something else, and is for who has that: these fields, and no others, of types called so. */
const plumbing: readonly [type: RegExp, fields: string][] = [
  [/^Money$/, 'amount currency'],
  [/^PageInfo$/, 'hasNextPage hasPreviousPage startCursor endCursor'],
  [/^Session$/, 'accessToken refreshToken expiresAt user'],
  [/^\w+Connection$/, 'edges nodes pageInfo totalCount'],
  [/^\w+Edge$/, 'cursor node'],
];
export const isPlumbing = (type: string, field: string): boolean =>
  plumbing.some(([name, names]) => name.test(type) && names.split(' ').includes(field));

function all(policy: Policy, names: string): Record<string, Policy> {
  return Object.fromEntries(names.split(' ').map((name) => [name, policy]));
}

/** Who gets entities of a type from their subgraph by their id alone, where that is not who sees them elsewhere. */
export const entityPolicies: Record<string, Policy> = {
  /** Customers see a courier by its delivery. */
  Courier: 'courier',
  /** Others see an event by its order. */
  Event: 'owner',
};
