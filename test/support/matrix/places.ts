/** Where an object of a type is found through the gateway: a selection around its own, by variables of the world. */
type Place = (selection: string) => string;

/** One object of each type whose fields are read; all of its fields have a value. */
export const places: Record<string, Place> = {
  Product: (selection) => `it: product(id: $product) ${selection}`,
  Order: (selection) => `it: order(id: $order) ${selection}`,
  OrderItem: (selection) => `it: order(id: $order) { items ${selection} }`,
  Payment: (selection) => `it: payment(id: $refunded) ${selection}`,
  Account: (selection) => `it: user(id: $user) { account ${selection} }`,
  LedgerEntry: (selection) => `it: user(id: $user) { account { entries(first: 1) { nodes ${selection} } } }`,
  Delivery: (selection) => `it: delivery(id: $delivery) ${selection}`,
  DeliveryStatusChange: (selection) => `it: delivery(id: $delivery) { history ${selection} }`,
  Courier: (selection) => `it: delivery(id: $delivery) { courier ${selection} }`,
  Location: (selection) => `it: delivery(id: $delivery) { courier { location ${selection} } }`,
  Event: (selection) => `it: order(id: $order) { timeline ${selection} }`,
  EventStats: (selection) => `it: eventStats ${selection}`,
  EventCount: (selection) => `it: eventStats { perType ${selection} }`,
  ConsumerLag: (selection) => `it: eventStats { consumerLag ${selection} }`,
  DeadLetter: (selection) => `it: deadLetters(first: 1) { nodes ${selection} }`,
  User: (selection) => `it: user(id: $user) ${selection}`,
};

/** The last of each list on the way in: in a history it is the one with all that a change can have. */
export function innermost(data: unknown, key: string): unknown {
  if (Array.isArray(data)) return innermost(data.at(-1), key);
  if (typeof data !== 'object' || data === null) return undefined;
  const record = data as Record<string, unknown>;
  if (Object.hasOwn(record, key)) return record[key];
  return innermost(Object.values(record)[0], key);
}

/** Whether there is null where an error says that something is missing, or around that. */
export function nullAt(data: unknown, path: readonly (string | number)[]): boolean {
  if (data === null) return true;
  const [key, ...rest] = path;
  if (key === undefined || typeof data !== 'object') return false;
  return nullAt((data as Record<string | number, unknown>)[key], rest);
}
