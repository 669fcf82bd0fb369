import type { SubgraphName } from '../schema.js';
import type { Address, DeliveredOrder, Order, Product, ReviewedProduct, Store, User } from './shapes.js';

/** Sends the planned fetch from a subgraph at a path of the answer, and answers its data. */
export type Ask = (subgraph: SubgraphName, path: string, variables: unknown) => Promise<unknown>;

interface Ref {
  id: string;
}

/** The answer to queries.ts' `small`. */
export async function answerSmall(ask: Ask, variables: unknown) {
  const { order } = (await ask('orders', '', variables)) as { order: Order | null };
  if (!order) return { order };
  const { id, number, status, total } = order;
  const ids = new Set([order.customer.id]);
  const customers = await entities<User>(ask, 'users', 'order.customer', 'User', ids);
  const { name, email } = found(customers, order.customer.id);
  const { amount, currency } = total;
  const customer = { id: order.customer.id, name, email };
  return { order: { id, number, status, total: { amount, currency }, customer } };
}

/** The answer to queries.ts' `big`. */
export async function answerBig(ask: Ask, variables: unknown) {
  const [me, orders, topProducts] = await Promise.all([
    readMe(ask),
    readOrders(ask, variables),
    readTopProducts(ask),
  ]);
  return { me, orders, topProducts };
}

async function readMe(ask: Ask) {
  const { me } = (await ask('users', '', {})) as { me: (Ref & User) | null };
  return me && { id: me.id, name: me.name, email: me.email, address: address(me.address) };
}

async function readOrders(ask: Ask, variables: unknown) {
  const { orders } = (await ask('orders', '', variables)) as { orders: Order[] };
  const orderIds = new Set<string>();
  const customerIds = new Set<string>();
  const productIds = new Set<string>();
  for (const order of orders) {
    orderIds.add(order.id);
    customerIds.add(order.customer.id);
    for (const { product } of order.items) productIds.add(product.id);
  }
  const path = 'orders.@.items.@.product';
  const [customers, deliveries, products, reviews] = await Promise.all([
    readCustomers(ask, customerIds),
    readDeliveries(ask, orderIds),
    readProducts(ask, productIds),
    readReviews(ask, path, productIds, (id, { name }) => ({ id, name })),
  ]);
  const shaped = new Map<string, object>();
  for (const id of productIds) {
    const { title, inStock, price, seller, store } = found(products, id);
    const { rating, reviews: list } = found(reviews, id);
    shaped.set(id, { id, title, inStock, price, seller, store, rating, reviews: list });
  }
  return orders.map(({ id, number, status, placedAt, note, total, customer, items }) => ({
    id,
    number,
    status,
    placedAt,
    note,
    total: { amount: total.amount, currency: total.currency, discount: total.discount },
    customer: found(customers, customer.id),
    items: items.map(({ quantity, price, product }) => ({
      quantity,
      price,
      product: found(shaped, product.id),
    })),
    delivery: found(deliveries, id),
  }));
}

async function readCustomers(ask: Ask, ids: Set<string>) {
  const users = await entities<User>(ask, 'users', 'orders.@.customer', 'User', ids);
  return shape(users, (id, { name, email, phone, memberSince, address: at }) => {
    return { id, name, email, phone, memberSince, address: address(at) };
  });
}

async function readDeliveries(ask: Ask, ids: Set<string>) {
  const orders = await entities<DeliveredOrder>(ask, 'deliveries', 'orders.@', 'Order', ids);
  const courierIds = new Set<string>();
  const storeIds = new Set<string>();
  for (const { delivery } of orders.values()) {
    if (!delivery) continue;
    courierIds.add(delivery.courier.id);
    storeIds.add(delivery.pickup.id);
  }
  const [people, pickups] = await Promise.all([
    entities<User>(ask, 'users', 'orders.@.delivery.courier', 'User', courierIds),
    readStores(ask, 'orders.@.delivery.pickup', storeIds, (id, { name, city }) => ({ id, name, city })),
  ]);
  const couriers = shape(people, (id, { name, phone }) => ({ id, name, phone }));
  return shape(orders, (_id, { delivery }) => {
    if (!delivery) return null;
    const { id, state, minutesLeft } = delivery;
    const courier = found(couriers, delivery.courier.id);
    return { id, state, minutesLeft, courier, pickup: found(pickups, delivery.pickup.id) };
  });
}

async function readProducts(ask: Ask, ids: Set<string>) {
  const path = 'orders.@.items.@.product';
  const products = await entities<Product>(ask, 'catalog', path, 'Product', ids);
  const refs = sellersAndStores(products.values());
  const [people, stores] = await Promise.all([
    entities<User>(ask, 'users', `${path}.seller`, 'User', refs.sellers),
    readStores(ask, `${path}.store`, refs.stores, (id, { name }) => ({ id, name })),
  ]);
  const sellers = shape(people, (id, { name }) => ({ id, name }));
  return shape(products, (_id, { title, inStock, price, seller, store }) => ({
    title,
    inStock,
    price: { amount: price.amount, currency: price.currency },
    seller: found(sellers, seller.id),
    store: found(stores, store.id),
  }));
}

async function readTopProducts(ask: Ask) {
  const { topProducts } = (await ask('catalog', '', {})) as { topProducts: (Ref & Product)[] };
  const refs = sellersAndStores(topProducts);
  const productIds = new Set(topProducts.map(({ id }) => id));
  const [people, stores, reviews] = await Promise.all([
    entities<User>(ask, 'users', 'topProducts.@.seller', 'User', refs.sellers),
    readStores(ask, 'topProducts.@.store', refs.stores, (id, { city }) => ({ id, city })),
    readReviews(ask, 'topProducts.@', productIds, (id, { name, memberSince }) => ({ id, name, memberSince })),
  ]);
  const sellers = shape(people, (id, { name, email }) => ({ id, name, email }));
  return topProducts.map(({ id, title, weight, price, seller, store }) => {
    const { rating, reviews: list } = found(reviews, id);
    return {
      id,
      title,
      weight,
      price: { amount: price.amount, currency: price.currency },
      seller: found(sellers, seller.id),
      store: found(stores, store.id),
      rating,
      reviews: list,
    };
  });
}

async function readReviews<A>(
  ask: Ask,
  path: string,
  ids: Set<string>,
  authorOf: (id: string, user: User) => A,
) {
  const products = await entities<ReviewedProduct>(ask, 'reviews', path, 'Product', ids);
  const authorIds = new Set<string>();
  for (const { reviews } of products.values()) for (const { author } of reviews) authorIds.add(author.id);
  const people = await entities<User>(ask, 'users', `${path}.reviews.@.author`, 'User', authorIds);
  const authors = shape(people, authorOf);
  return shape(products, (_id, { rating, reviews }) => ({
    rating,
    reviews: reviews.map(({ id, stars, text, author }) => {
      return { id, stars, text, author: found(authors, author.id) };
    }),
  }));
}

async function readStores<S>(ask: Ask, path: string, ids: Set<string>, to: (id: string, store: Store) => S) {
  return shape(await entities<Store>(ask, 'stores', path, 'Store', ids), to);
}

function sellersAndStores(products: Iterable<Product>) {
  const sellers = new Set<string>();
  const stores = new Set<string>();
  for (const { seller, store } of products) {
    sellers.add(seller.id);
    stores.add(store.id);
  }
  return { sellers, stores };
}

const address = (of: Address | null) => of && { street: of.street, city: of.city, zip: of.zip };

/** Entities by id, each asked for once. */
async function entities<T>(
  ask: Ask,
  subgraph: SubgraphName,
  path: string,
  __typename: string,
  ids: ReadonlySet<string>,
): Promise<Map<string, T>> {
  const list = [...ids];
  const representations = list.map((id) => ({ __typename, id }));
  const { _entities } = (await ask(subgraph, path, { representations })) as { _entities: T[] };
  return new Map(list.map((id, at) => [id, _entities[at] as T]));
}

function shape<T, S>(from: ReadonlyMap<string, T>, to: (id: string, value: T) => S): Map<string, S> {
  const shaped = new Map<string, S>();
  for (const [id, value] of from) shaped.set(id, to(id, value));
  return shaped;
}

function found<T>(map: ReadonlyMap<string, T>, id: string): T {
  const value = map.get(id);
  if (value === undefined) throw new Error(`nothing was found for ${id}`);
  return value;
}
