import { priceOf } from './products.js';
import { type Row, row, type World, withKeys } from './rows.js';

type Ids = readonly (string | null)[];

/** Venues, warehouses, markets with their offers, bundles and grids. */
export function places(world: World): readonly Row[] {
  const venue = (
    id: string,
    data: {
      name: string | null;
      hours: unknown;
      host: string | null;
      seats: unknown;
      shows: Ids | null;
      address?: object;
    },
    absent: string[] = [],
  ): Row =>
    row(
      'Venue',
      id,
      {
        id,
        name: data.name,
        address: data.address ?? null,
        hours: data.hours,
        host: () => data.host && world.one(data.host),
        seats: data.seats,
        shows: () => world.all(data.shows),
        reviews: () => world.of(['Review'], 'reviews').filter(({ subjectId }) => subjectId === id),
        warehouses: () => world.of(['Warehouse'], 'stock').filter(({ siteId }) => siteId === id),
        holdings: () => (id === 'v1' ? world.all(['b1', 'b3', 'b1']) : null),
      },
      absent,
    );
  const warehouse = (id: string, siteId: string, zone: string, capacity: number | null, holds: Ids | null) =>
    row('Warehouse', id, {
      siteId,
      site: () => world.one(siteId),
      zone,
      capacity,
      holds: () => world.all(holds),
    });
  const market = (id: string, code: string, title: string | null, absent: string[] = []) =>
    row(
      'Market',
      id,
      {
        code,
        title,
        currency: code === 'us' ? 'USD' : 'EUR',
        depot: () => (code === 'eu' ? world.one('v1') : world.one('v3')),
        founded: code === 'eu' ? 1957 : null,
      },
      absent,
    );
  const offer = (
    id: string,
    sku: string,
    marketId: string,
    data: { amount: number | null; itemId: string | null; items: (Ids | null)[] | null; left: number | null },
    absent: string[] = [],
  ) =>
    row(
      'Offer',
      id,
      {
        id,
        sku,
        marketId,
        market: () => world.one(marketId),
        price: priceOf(id, data.amount),
        itemId: data.itemId,
        item: () => data.itemId && world.one(data.itemId),
        items: () => data.items?.map((ids) => world.all(ids)) ?? null,
        left: data.left,
        reserved: data.left === null ? null : [data.left, null, 0],
      },
      absent,
    );
  const seat = (of: string, number: number, holder: string | null) =>
    withKeys(`${of}.seat${number}`, { row: number, holder: () => holder && world.one(holder) });
  return [
    venue('v1', {
      name: 'Hall',
      hours: [[9, 17], [], null, [10, null]],
      host: 'c1',
      seats: [
        [seat('v1', 0, 'u1'), seat('v1', 1, null)],
        null,
        [],
        [seat('v1', 2, 'u6'), seat('v1', 3, 'u1')],
      ],
      shows: ['f1', null, 'f2', 'f1'],
      address: { street: 'Quay 3', city: { name: 'Kiel', zip: null } },
    }),
    venue('v2', { name: null, hours: null, host: 'u1', seats: [[]], shows: [] }),
    venue('v4', { name: 'Bar', hours: [[0]], host: 'r2', seats: null, shows: ['f2'] }, ['stock', 'reviews']),
    venue('v3', { name: 'Lost', hours: [], host: null, seats: [], shows: null }, ['venues', 'archive']),
    warehouse('w1', 'v1', 'A', 100, ['b1', 'f1', 'b1']),
    warehouse('w2', 'v1', 'B', 0, []),
    warehouse('w3', 'v3', 'A', null, null),
    market('market-eu', 'eu', 'Europe'),
    market('market-us', 'us', null),
    market('market-xx', 'xx', 'Nowhere', ['stock', 'archive']),
    offer('o1', 's1', 'market-eu', { amount: 9, itemId: 'b1', items: [['b1', 'f1'], [], null], left: 3 }),
    offer('o2', 's1', 'market-us', { amount: 0, itemId: 'f1', items: [['f2', 'b2', 'f2']], left: 0 }),
    offer('o3', 's2', 'market-xx', { amount: null, itemId: 'b3', items: null, left: null }, ['stock']),
    offer('o4', '', 'market-eu', { amount: 1.25, itemId: null, items: [], left: 7 }),
    row('Bundle', 'bundle1', {
      ids: ['b1', 'f1'],
      lots: [{ no: 1 }, { no: 2 }],
      pieces: () => world.all(['b1', null, 'f1']),
      pickup: () => world.one('v1'),
      origin: 'north',
    }),
    row('Bundle', 'bundle2', {
      ids: [],
      lots: null,
      pieces: [],
      pickup: () => world.one('v3'),
      origin: null,
    }),
    row('Bundle', 'bundle3', {
      ids: ['g1'],
      lots: [],
      pieces: () => world.all(['g3', 'b3']),
      pickup: null,
      origin: 'south',
    }),
    row('Grid', 'grid1', { cells: [[1, 2], [3]], area: 3, owner: () => world.one('u1') }),
    row('Grid', 'grid2', { cells: [[], []], area: 0, owner: () => world.one('u6') }),
    row('Grid', 'grid3', { cells: [], area: null, owner: null }),
  ];
}
