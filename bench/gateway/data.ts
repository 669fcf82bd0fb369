/**
 * What the subgraphs know, all of it computed from a number, so that every run has the same. Fewer people,
 * products and stores than there are mentions of them: an entity comes several times in an answer, as it does
 * in real ones.
 */
export const orders = 50;
const products = 30;
const users = 40;
const stores = 6;
const couriers = 8;

const uuid = (kind: number, n: number): string =>
  `0198c5f2-7c1e-7b1a-${(0x8000 + kind).toString(16)}-${n.toString(16).padStart(12, '0')}`;
export const orderId = (n: number): string => uuid(1, n);
export const userId = (n: number): string => uuid(2, n);
const productId = (n: number): string => uuid(3, n);
const storeId = (n: number): string => uuid(4, n);

/** The number in an id; NaN for what is none. */
const numberOf = (id: string): number => Number.parseInt(id.slice(-12), 16);
const below = (n: number, count: number): number | undefined => (n >= 0 && n < count ? n : undefined);
const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

const first = ['Ada', 'Björn', 'Chidi', 'Dolores', 'Emil', 'Fatima', 'Gwen', 'Hugo', 'Inès', 'Jun'];
const last = ['Abara', 'Brandt', 'Costa', 'Dvořák', 'Eriksen', 'Fofana', 'Gray'];
const cities = ['Lisbon', 'Porto', 'Braga', 'Faro'];
const things = ['Soup', 'Salad', 'Bread', 'Cheese', 'Coffee', 'Noodles', 'Curry'];
const words = ['Hot, in time.', 'Once more!', 'A bit too salty.', 'The best here!'];
const money = (cents: number): string => (cents / 100).toFixed(2);
const day = (n: number): string => String(1 + (n % 28)).padStart(2, '0');

export function user(id: string) {
  const n = below(numberOf(id), users);
  if (n === undefined) return null;
  const name = `${pick(first, n)} ${pick(last, n)}`;
  return {
    ...{ __typename: 'User', id, name, email: `p${n}@example.com`, memberSince: 2015 + (n % 10) },
    phone: n % 5 === 0 ? null : `+351 910 ${200_000 + n}`,
    address: { street: `${n} Long Lane`, city: pick(cities, n), zip: `${4000 + n}-001` },
  };
}

export function order(id: string) {
  const n = below(numberOf(id), orders);
  if (n === undefined) return null;
  return {
    ...{ __typename: 'Order', id, number: `A-${10_000 + n}` },
    status: pick(['PAID', 'COMPLETED', 'PENDING', 'CANCELLED'], n),
    placedAt: `2026-03-${day(n)}`,
    note: n % 3 === 0 ? 'Please ring twice.' : null,
    total: { amount: money(1_999 + 37 * n), currency: 'EUR', discount: n % 4 === 0 ? '1.00' : null },
    customer: { __typename: 'User', id: userId((n * 7) % 12) },
    items: Array.from({ length: 1 + (n % 3) }, (_, item) => ({
      ...{ quantity: 1 + ((n + item) % 4), price: money(350 + 25 * item) },
      product: { __typename: 'Product', id: productId((n * 5 + item * 11) % products) },
    })),
  };
}

export function product(id: string) {
  const n = below(numberOf(id), products);
  if (n === undefined) return null;
  return {
    ...{ __typename: 'Product', id, title: `${pick(things, n)} no. ${n}`, inStock: n % 6 !== 0 },
    weight: n % 7 === 0 ? null : 0.25 * (1 + (n % 9)),
    price: { amount: money(350 + 15 * n), currency: 'EUR' },
    seller: { __typename: 'User', id: userId(20 + (n % 10)) },
    store: { __typename: 'Store', id: storeId(n % stores) },
  };
}

export function reviewsOf(id: string) {
  const n = below(numberOf(id), products);
  if (n === undefined) return null;
  return {
    ...{ __typename: 'Product', id, rating: n % 8 === 0 ? null : 3 + (n % 5) * 0.4 },
    reviews: Array.from({ length: n % 3 }, (_, review) => ({
      ...{ id: uuid(5, n * 10 + review), stars: 1 + ((n + review) % 5), text: pick(words, n + review) },
      author: { __typename: 'User', id: userId((n * 3 + review) % users) },
    })),
  };
}

export function deliveryOf(id: string) {
  const n = below(numberOf(id), orders);
  if (n === undefined) return null;
  const delivery = {
    ...{ id: uuid(6, n), state: pick(['ASSIGNED', 'ON_THE_WAY', 'DELIVERED'], n) },
    minutesLeft: n % 3 === 2 ? null : 5 + (n % 20),
    courier: { __typename: 'User', id: userId(30 + (n % couriers)) },
    pickup: { __typename: 'Store', id: storeId((n * 5) % stores) },
  };
  return { __typename: 'Order', id, delivery: n % 10 === 9 ? null : delivery };
}

export function store(id: string) {
  const n = below(numberOf(id), stores);
  if (n === undefined) return null;
  const hours = { opens: n % 2 ? '08:00' : '10:00', closes: '22:30' };
  return { __typename: 'Store', id, name: `${pick(last, n)}`, city: pick(cities, n), ...hours };
}

const list = <T>(count: number, one: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => one(n));
export const firstOrders = (count: number) => list(Math.min(count, orders), (n) => order(orderId(n)));
export const topProducts = (count: number) =>
  list(Math.min(count, products), (n) => product(productId(n * 2)));
