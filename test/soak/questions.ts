/** What subscribers ask for. Those of one kind differ in what they select: some of it is the same for all, some not. */
export const kinds = ['order', 'delivery', 'payment', 'orders', 'deliveries'] as const;
export type Kind = (typeof kinds)[number];

/** By kind, the field of Subscription. */
export const fields: Record<Kind, string> = {
  order: 'orderUpdated',
  delivery: 'deliveryStatusChanged',
  payment: 'paymentCompleted',
  orders: 'myOrdersUpdated',
  deliveries: 'deliveriesChanged',
};

export interface Question {
  kind: Kind;
  query: string;
  /** The order, or whose orders; nothing where all deliveries are watched. */
  id: string | undefined;
  /** By whom: part of what others must share to share a stream. */
  token: string;
}

const ofOrder = {
  order: (selection: string) => `subscription ($id: ID!, $after: Cursor) {
    event: orderUpdated(orderId: $id, after: $after) { cursor status ${selection} } }`,
  delivery: (selection: string) => `subscription ($id: ID!, $after: Cursor) {
    event: deliveryStatusChanged(orderId: $id, after: $after) { cursor status ${selection} } }`,
  payment: (selection: string) => `subscription ($id: ID!) {
    event: paymentCompleted(orderId: $id) { cursor: id status ${selection} } }`,
};

const nested = 'order { id user { id firstName } payment { status } delivery { status courier { name } } }';

/** By kind, what may be selected beside the cursor and the status. */
export const selections = {
  order: ['', 'order { id deliveryStatus total { amount } }', nested],
  delivery: [
    'previous',
    'order { id user { id } }',
    'order { id status user { firstName } payment { status } }',
  ],
  payment: ['amount { amount }', 'order { id status delivery { status } user { firstName } }'],
} as const satisfies Record<keyof typeof ofOrder, readonly string[]>;

export const askOfOrder = (
  kind: keyof typeof ofOrder,
  id: string,
  token: string,
  selection: string,
): Question => ({ kind, id, token, query: ofOrder[kind](selection) });

export const askOfOrders = (userId: string, token: string): Question => ({
  ...{ kind: 'orders', id: userId, token },
  query: `subscription ($after: Cursor) {
    event: myOrdersUpdated(after: $after) { cursor status order { id delivery { status } payment { status } } } }`,
});

export const askOfDeliveries = (token: string): Question => ({
  ...{ kind: 'deliveries', id: undefined, token },
  query: `subscription ($after: Cursor) {
    event: deliveriesChanged(after: $after) { cursor status order { id } delivery { id courier { name } } } }`,
});

/** An event as all of these questions have it, beside what else they select. */
export interface EventData {
  cursor: string;
  status: string;
  order?: NestedOrder | null;
}

interface NestedOrder {
  id: string;
  user?: { id?: string; firstName?: string } | null;
  payment?: { status: string } | null;
}
