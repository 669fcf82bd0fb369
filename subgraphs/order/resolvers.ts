import { authenticated, isCourier, isStaff, maySee, type Principal } from '../../platform/auth/principal.js';
import { problem, unwrap } from '../../platform/errors.js';
import { connectionResolvers, readPage, toPage } from '../../platform/graphql/connection.js';
import { decodeSequence, encodeCursor } from '../../platform/graphql/cursor.js';
import { readSearch, readTime } from '../../platform/graphql/input.js';
import { scalars } from '../../platform/graphql/scalars.js';
import { checkId, isId } from '../../platform/ids.js';
import { money } from '../../platform/money.js';
import type { Context } from './context.js';
import type { OrderFilter as OrderFilterInput, Resolvers } from './generated/graphql.js';
import { countOrders, countProducts, type OrderFilter, readOrders, readProducts } from './reads.js';
import type { OrderChangeRow, OrderRow, ProductRow } from './rows.js';

const cursorScope = (orderId: string) => `order:${orderId}`;
const feedScope = (userId: string) => `feed:orders of ${userId}`;
const noSuchOrder = () => problem('NOT_FOUND', 'There is no such order.');

export const resolvers: Resolvers = {
  DateTime: scalars.DateTime,
  Decimal: scalars.Decimal,
  CurrencyCode: scalars.CurrencyCode,
  Cursor: scalars.Cursor,

  Query: {
    me: (_, __, { principal }) => (principal ? { id: principal.userId } : null),
    async order(_, { id }, context) {
      const principal = authenticated(context.principal);
      const order = await context.loaders.order.load(checkId(id, 'id'));
      if (!order || !maySeeOrder(principal, order)) throw noSuchOrder();
      return order;
    },
    async orders(_, { filter: input, ...args }, { principal, reader }) {
      const filter = readFilter(authenticated(principal), input);
      const page = readPage('orders', args);
      return toPage(page, await readOrders(reader, filter, page), () => countOrders(reader, filter));
    },
    async product(_, { id }, { loaders }) {
      const product = await loaders.product.load(checkId(id, 'id'));
      if (!product) throw problem('NOT_FOUND', 'There is no such product.');
      return product;
    },
    async products(_, { search, ...args }, { reader }) {
      const page = readPage('products', args);
      const pattern = readSearch(search);
      return toPage(page, await readProducts(reader, pattern, page), () => countProducts(reader, pattern));
    },
  },

  Mutation: {
    async createOrder(_, { input }, context) {
      const { userId } = authenticated(context.principal);
      const orderId = unwrap(await context.commands.createOrder(userId, input));
      return existing(context, orderId);
    },
    async cancelOrder(_, args, context) {
      const principal = authenticated(context.principal);
      const orderId = checkId(args.id, 'id');
      const order = await context.loaders.order.load(orderId);
      if (!order || !maySee(principal, order.userId)) throw noSuchOrder();
      const by = order.userId === principal.userId ? 'customer' : 'dispatcher';
      unwrap(await context.commands.cancelOrder({ orderId, by, reason: args.reason }));
      context.loaders.order.clear(orderId);
      return existing(context, orderId);
    },
    async upsertProduct(_, { input: { id, ...input } }, { principal, products }) {
      if (!isStaff(authenticated(principal))) throw problem('FORBIDDEN', 'The catalogue is up to staff.');
      return unwrap(await products.upsert(isGiven(id) ? checkId(id, 'id') : null, input));
    },
  },

  Subscription: {
    orderUpdated: {
      subscribe(_, args, { principal, live }) {
        const watcher = authenticated(principal);
        const orderId = checkId(args.orderId, 'orderId');
        const after = decodeSequence(args.after, cursorScope(orderId));
        return live.watch({ id: orderId, after, mayWatch: (ownerId) => maySee(watcher, ownerId) });
      },
      resolve: (change: OrderChangeRow) => change,
    },
    myOrdersUpdated: {
      subscribe(_, args, { principal, feeds }) {
        const { userId } = authenticated(principal);
        const at = decodeSequence(args.after, feedScope(userId));
        return feeds.watch({ id: userId, after: at === null ? null : { at, until: null } });
      },
      resolve: (change: OrderChangeRow) => change,
    },
  },

  OrderUpdate: {
    cursor: ({ orderId, sequence, feed }) =>
      feed
        ? encodeCursor(feedScope(feed.userId), feed.sequence)
        : encodeCursor(cursorScope(orderId), sequence),
    order: ({ orderId }, _, context) => existing(context, orderId),
  },

  Order: {
    async __resolveReference(reference, context) {
      const principal = authenticated(context.principal);
      const order = isId(reference.id) ? await context.loaders.order.load(reference.id) : null;
      return order && maySeeOrder(principal, order) ? order : null;
    },
    items: ({ id }, _, { loaders }) => loaders.items.load(id),
    total: ({ totalCents }) => money(totalCents),
    user: ({ userId }) => ({ id: userId }),
  },

  OrderItem: {
    async product({ productId }, _, { loaders }) {
      const product = await loaders.product.load(productId);
      if (!product) throw new Error(`product ${productId} is gone, in spite of its foreign key`);
      return product;
    },
    price: ({ priceCents }) => money(priceCents),
    total: ({ priceCents, quantity }) => money(priceCents * quantity),
  },

  Product: {
    __resolveReference: (reference, { loaders }) =>
      isId(reference.id) ? loaders.product.load(reference.id) : null,
    price: ({ priceCents }) => money(priceCents),
  },

  User: {
    __resolveReference: ({ id }) => (isId(id) ? { id } : null),
    async orders({ id: userId }, { status, ...args }, { principal, loaders }) {
      if (!maySee(authenticated(principal), userId)) throw noSuchOrder();
      const page = readPage(`orders of ${userId}`, args);
      const { rows, counts } = loaders.ordersOfUser({ ...page, scope: 'orders' }, status ?? undefined);
      return toPage(page, await rows.load(userId), () => counts.load(userId));
    },
  },

  OrderConnection: connectionResolvers<OrderRow>(),
  ProductConnection: connectionResolvers<ProductRow>(),
};

/** Whose it is, who brings it, and staff. */
const maySeeOrder = (viewer: Principal, { userId, courierUserId }: OrderRow): boolean =>
  maySee(viewer, userId) || isCourier(viewer, courierUserId);

/** What a list of orders is narrowed to: a customer's own, whatever the filter says. */
function readFilter(principal: Principal, input: OrderFilterInput | null | undefined): OrderFilter {
  const userId = typeof input?.userId === 'string' ? checkId(input.userId, 'filter.userId') : undefined;
  if (userId !== undefined && !maySee(principal, userId)) throw noSuchOrder();
  return {
    userId: userId ?? (isStaff(principal) ? undefined : principal.userId),
    status: input?.status ?? undefined,
    since: isGiven(input?.since) ? readTime(input.since, 'filter.since') : undefined,
    until: isGiven(input?.until) ? readTime(input.until, 'filter.until') : undefined,
  };
}

const isGiven = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;

async function existing(context: Context, orderId: string): Promise<OrderRow> {
  const order = await context.loaders.order.load(orderId);
  if (!order) throw noSuchOrder();
  return order;
}
