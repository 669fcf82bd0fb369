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
      'id status items total deliveryAddress deliveryStatus user createdAt updatedAt delivery',
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
  User: {
    ...all('known', 'id firstName lastName role createdAt updatedAt'),
    ...all('owner', 'email orders account'),
  },
};

/** What is only ever within something else, and is for who has that. */
export const plumbing = /^(Money|PageInfo|Session|\w+Connection|\w+Edge)$/;

function all(policy: Policy, names: string): Record<string, Policy> {
  return Object.fromEntries(names.split(' ').map((name) => [name, policy]));
}

/** Who gets entities of a type from their subgraph by their id alone, where that is not who sees them elsewhere. */
export const entityPolicies: Record<string, Policy> = {
  /** Customers see a courier by its delivery. */
  Courier: 'courier',
};
