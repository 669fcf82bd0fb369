import { GraphQLError } from 'graphql';
import { firstOf, type Row, row, type World } from './rows.js';

/** A root field: its arguments as graphql coerced them. */
export type Root = (args: Record<string, unknown>) => unknown;

interface Roots {
  Query: Record<string, Root>;
  Mutation?: Record<string, Root>;
}

interface ProductFilter {
  kinds?: string[] | null;
  weight?: { min?: number | null; max?: number | null } | null;
  name?: string | null;
}

const productTypes = ['Book', 'Film', 'Gadget', 'Prototype'];
const grams = (product: Row): number =>
  Number((product['weight'] as (args: object) => number | null)({ unit: 'GRAM' }) ?? 0);

/** The root fields of each subgraph. Mutations change nothing but their own answer, so that each runs by itself. */
export function rootsOf(world: World): Readonly<Record<string, Roots>> {
  const known = (id: unknown, subgraph: string, ...typenames: string[]): Row | null =>
    world.of(typenames, subgraph).find(({ _key }) => _key === id) ?? null;
  const userIn =
    (subgraph: string): Root =>
    ({ id, email }) =>
      world.of(['User'], subgraph).find((user) => (id ? user['id'] === id : user['email'] === email)) ?? null;
  const now: Root = () => '2026-01-01T00:00:00Z';

  const productsOf: Root = ({ ids, filter, first }) => {
    const { kinds, weight, name } = (filter ?? {}) as ProductFilter;
    const all = world.of(['Book', 'Film', 'Gadget'], 'catalog');
    const asked = ids ? (ids as string[]).flatMap((id) => all.filter(({ _key }) => _key === id)) : all;
    const found = asked.filter(
      (product) =>
        (!kinds || kinds.includes(product.__typename.toUpperCase())) &&
        grams(product) >= (weight?.min ?? 0) &&
        grams(product) <= (weight?.max ?? 10_000) &&
        (!name || String(product['name']).includes(name)),
    );
    return firstOf(found, first as number | null);
  };

  return {
    catalog: {
      Query: {
        product: ({ id }) => known(id, 'catalog', ...productTypes),
        products: productsOf,
        book: ({ isbn }) => world.of(['Book'], 'catalog').find((book) => book['isbn'] === isbn) ?? null,
        media: () => world.all(['b1', 'f1', null, 'poster1', 'p1', 'b1', 'poster2', 'f2']),
        shelves: () => [world.all(['b1', null, 'f1']), null, [], world.all(['g1', 'b1', 'b2'])],
        named: () => world.all(['poster1', 'b2', 'g3', null, 'f1']),
        now,
        catalogStatus: () => 'CLOSED',
      },
      Mutation: {
        renameProduct({ id, name }) {
          if (id === 'fail')
            throw new GraphQLError('It has no name.', { extensions: { code: 'NOT_FOUND', field: 'id' } });
          const product = known(id, 'catalog', ...productTypes);
          return product && { ...product, name };
        },
      },
    },
    people: {
      Query: {
        user: userIn('people'),
        users({ filter }) {
          const { role, minAge } = (filter ?? {}) as { role?: string | null; minAge?: number | null };
          return world
            .of(['User'], 'people')
            .map((user) =>
              (role && user['role'] !== role) || (minAge && Number(user['age']) < minAge) ? null : user,
            );
        },
        people: () => world.all(['u1', 'r1', 'u5', 'r2', 'u1']),
        company: (args) =>
          world.of(['Company'], 'people').find(({ taxId }) => {
            const { country, number } = taxId as { country: string; number: number };
            return country === args['country'] && number === args['number'];
          }) ?? null,
        now,
      },
      Mutation: {
        promote({ id, to }) {
          const user = known(id, 'people', 'User');
          return user && { ...user, role: to };
        },
      },
    },
    reviews: {
      Query: {
        reviews: ({ filter }) => {
          const { mood } = (filter ?? {}) as { mood?: string | null };
          return world.of(['Review'], 'reviews').filter((review) => !mood || review['mood'] === mood);
        },
        review: ({ id }) => known(id, 'reviews', 'Review'),
        topReviews: ({ first }) =>
          firstOf(world.all(['review1', 'review4', null, 'review3']), first as number),
        user: userIn('reviews'),
        reviewed: () => world.all(['b1', 'f1', 'b1', 'b3', 'g1']),
        now,
        reviewStatus: () => 'MODERATED',
      },
      Mutation: {
        addReview({ input }) {
          const { product, stars, body } = input as { product: string; stars: number; body?: string };
          return row('Review', 'review-new', {
            id: 'review-new',
            stars,
            body: body ?? null,
            author: () => world.one('u1'),
            writer: null,
            product: () => known(product, 'reviews', ...productTypes),
          });
        },
      },
    },
    prices: {
      Query: {
        offers: ({ market, cheap }) =>
          world
            .of(['Offer'], 'prices')
            .map((offer) => (market && offer['marketId'] !== `market-${market}` ? null : offer))
            .slice(cheap ? 2 : 0),
        offer({ key }) {
          const { sku, market } = key as { sku: string; market: string };
          const found = world
            .of(['Offer'], 'prices')
            .find((offer) => offer['sku'] === sku && offer['marketId'] === `market-${market}`);
          return found ?? null;
        },
        priced: () => world.all(['b1', 'f1', 'o1', 'b2', 'b1', 'f2']),
        markets: () => world.of(['Market'], 'prices'),
      },
      Mutation: {
        reprice({ id, amount, currency }) {
          const offer = known(id, 'prices', 'Offer');
          return offer && { ...offer, price: { _key: `${offer._key}.repriced`, amount, currency } };
        },
      },
    },
    stock: {
      Query: {
        stocked: ({ min }) =>
          world
            .of(productTypes, 'stock')
            .filter(({ stock }) => stock !== null && Number(stock) >= Number(min)),
        scarce: () => world.one('f2'),
        warehouse: ({ site, zone }) =>
          world.of(['Warehouse'], 'stock').find((one) => one['siteId'] === site && one['zone'] === zone) ??
          null,
        now,
        bundles: () => world.all(['bundle1', 'bundle2', null, 'bundle3', 'bundle1']),
      },
      Mutation: {
        restock({ id, by }) {
          const product = known(id, 'stock', ...productTypes);
          return product && { ...product, stock: Number(product['stock']) + Number(by) };
        },
      },
    },
    venues: {
      Query: {
        venues: () => world.all(['v1', 'v2', null, 'v4', 'v1']),
        venue: ({ id }) => known(id, 'venues', 'Venue'),
        subjects: () => world.all(['f1', 'v1', null, 'v4', 'f2']),
        grids: () => world.all(['grid1', 'grid2', null, 'grid3']),
      },
    },
    archive: {
      Query: {
        scanned: ({ first }) => firstOf(world.all(['b1', 'b2', null, 'b3']), first as number | null),
        archiveStatus: () => 'LOST',
        oldUser: ({ email }) => world.of(['User'], 'archive').find((user) => user['email'] === email) ?? null,
      },
    },
  };
}
