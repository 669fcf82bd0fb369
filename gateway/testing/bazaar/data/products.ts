import { requiredFields } from './required.js';
import { firstOf, type Row, row, type World, withKeys } from './rows.js';

type Ids = readonly (string | null)[];

interface ProductData {
  name: string | null;
  grams: number | null;
  dims?: object | null;
  maker?: string;
  related?: Ids;
  codes?: ((string | null)[] | null)[];
  amount?: number | null;
  stock?: number | null;
  shelf?: object;
  warehouses?: Ids;
  best?: string;
}

/** An amount in a currency; EUR where none is asked for. */
export const priceOf =
  (key: string, amount: number | null | undefined) =>
  ({ currency }: { currency?: string | null }) =>
    amount === null || amount === undefined
      ? null
      : withKeys(`${key}.price.${currency}`, {
          amount: currency === 'USD' ? amount * 2 : amount,
          currency: currency ?? 'GBP',
        });

/** Books, films, gadgets, and what may not be seen: a prototype. Also posters, which are no entities. */
export function products(world: World): readonly Row[] {
  const product = (
    typename: string,
    id: string,
    data: ProductData,
    own: Record<string, unknown>,
    absent: string[] = [],
  ): Row =>
    row(
      typename,
      id,
      {
        id,
        name: data.name,
        weight: ({ unit }: { unit?: string | null }) =>
          data.grams === null ? null : unit === 'KILO' ? Math.round(data.grams / 1000) : data.grams,
        dims: data.dims ?? null,
        maker: () => (data.maker ? world.one(data.maker) : null),
        related: ({ first }: { first?: number }) => firstOf(world.all(data.related ?? null), first),
        codes: data.codes ?? null,
        price: priceOf(id, data.amount),
        stock: data.stock === undefined ? 0 : data.stock,
        shelf: data.shelf ?? null,
        warehouses: () => world.all(data.warehouses ?? null),
        best: () => (data.best ? world.one(data.best) : null),
        rating: data.best ? 4.5 : null,
        reviews: ({ first }: { first?: number }) =>
          firstOf(
            world.of(['Review'], 'reviews').filter(({ productId }) => productId === id),
            first,
          ),
        offers: () => world.of(['Offer'], 'prices').filter(({ itemId }) => itemId === id),
        ...requiredFields,
        ...own,
      },
      absent,
    );
  return [
    product(
      'Book',
      'b1',
      {
        name: 'Kim',
        grams: 2400,
        dims: { width: 1.5, height: 2, depth: 3, unit: 'GRAM' },
        maker: 'c1',
        related: ['f1', 'b2', null, 'p1', 'g1'],
        codes: [['a', null], null, []],
        amount: 10,
        stock: 5,
        shelf: { row: 1, column: 0, label: 'top' },
        warehouses: ['w1', null, 'w2'],
        best: 'review1',
      },
      {
        isbn: 'isbn-b1',
        pages: 300,
        authors: () => world.all(['u1', 'u2', 'u1']),
        secret: 'secret',
        sequel: () => world.one('b2'),
        chapters: [
          { title: 'Start', pages: 10, notes: [{ text: 'n', line: 1 }, null, { text: null, line: 0 }] },
          { title: 'End', pages: null, notes: null },
        ],
        scans: [
          { page: 1, url: 'http://scan/1' },
          { page: 2, url: null },
        ],
        lender: () => world.one('u1'),
      },
    ),
    product(
      'Book',
      'b2',
      {
        name: 'Emma',
        grams: 0,
        dims: { width: 0, height: null, depth: 1 },
        maker: 'u2',
        related: [],
        amount: 0,
        stock: 0,
        best: 'review4',
      },
      {
        isbn: 'isbn-b2',
        pages: 0,
        authors: () => world.all(['u6', null, 'u3']),
        sequel: () => world.one('b3'),
        chapters: [],
        scans: [],
        lender: () => world.one('v1'),
      },
    ),
    product(
      'Book',
      'b3',
      { name: null, grams: null, maker: 'c3', related: ['b3'] },
      {
        isbn: 'isbn-b3',
        pages: null,
        authors: null,
        sequel: null,
        chapters: null,
        scans: null,
        lender: () => world.one('v3'),
      },
      ['prices', 'stock'],
    ),
    product(
      'Film',
      'f1',
      {
        name: 'Metropolis',
        grams: 150,
        dims: { width: 19, height: 13.5, depth: null, unit: null },
        maker: 'u1',
        related: ['b1', 'f1', 'f2'],
        codes: [],
        amount: 5.5,
        stock: 2,
        shelf: { row: null, column: 3, label: '' },
        warehouses: ['w3'],
        best: 'review2',
      },
      {
        minutes: 153,
        stars: () => world.all(['u1', 'r1', null, 'r3', 'u6']),
        basedOn: () => world.one('b1'),
        screenings: ({ venue }: { venue?: string }) =>
          venue === 'v9' ? [] : [screening('f1', '20:00', 'v1'), null, screening('f1', '22:00', 'v3')],
      },
    ),
    product(
      'Film',
      'f2',
      { name: 'M', grams: 150, maker: 'u6', amount: null, stock: 1 },
      { minutes: 0, stars: () => world.all([]), basedOn: () => world.one('p1'), screenings: null },
    ),
    product(
      'Gadget',
      'g1',
      {
        name: 'Lamp',
        grams: 900,
        dims: null,
        maker: 'c2',
        related: ['g2', 'g3'],
        stock: 12,
        warehouses: [],
        best: 'review5',
      },
      {
        voltage: 230.5,
        parts: () => [
          [part('g1', 's1', 'g2'), null],
          null,
          [],
          [part('g1', 's2', null), part('g1', 's3', 'g3')],
        ],
        manual: () => world.one('b1'),
        inventor: () => world.one('u1'),
      },
    ),
    product(
      'Gadget',
      'g2',
      { name: 'Phone', grams: 199, dims: { width: 7, height: 14, depth: 1, unit: 'GRAM' }, stock: null },
      { voltage: 0, parts: null, manual: () => world.one('b3'), inventor: () => world.one('u6') },
    ),
    product(
      'Gadget',
      'g3',
      { name: 'Radio', grams: 1000, maker: 'u5', stock: 3 },
      { voltage: 9, parts: () => [[]], manual: null, inventor: () => world.one('u7') },
      ['reviews'],
    ),
    product(
      'Prototype',
      'p1',
      { name: 'Hidden', grams: 1, related: ['b1', 'p1'], stock: 1, best: 'review3' },
      { codename: 'X' },
    ),
    row('Poster', 'poster1', {
      name: 'Film poster',
      artist: () => world.one('u2'),
      dims: { width: 60, height: 90, depth: 0, unit: 'KILO' },
      meta: () => ['any', { json: true }],
    }),
    row('Poster', 'poster2', { name: null, artist: () => world.one('u6'), dims: null, meta: null }),
  ];

  function part(of: string, sku: string, spare: string | null) {
    return withKeys(`${of}.${sku}`, { sku, spare: () => spare && world.one(spare) });
  }
  function screening(of: string, at: string, venue: string) {
    return withKeys(`${of}.${at}`, { at, venue: () => world.one(venue), seats: at === '20:00' ? 0 : null });
  }
}
