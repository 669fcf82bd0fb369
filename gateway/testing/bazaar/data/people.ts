import { requiredFields } from './required.js';
import { firstOf, type Row, row, type World } from './rows.js';

type Ids = readonly (string | null)[];

interface UserData {
  name: string | null;
  age: number | null;
  role?: string;
  friends?: Ids | null;
  boss?: string;
  address?: object;
  nicknames?: Ids;
  basket?: Ids;
  loans?: Ids;
  visited?: Ids;
  absent?: string[];
}

/** Users, robots and companies, some of whom are not where one would look for them. */
export function people(world: World): readonly Row[] {
  const user = (id: string, data: UserData): Row =>
    row(
      'User',
      id,
      {
        id,
        email: `${id}@x.org`,
        name: data.name,
        age: data.age,
        role: data.role ?? 'MEMBER',
        friends: ({ first }: { first?: number }) => firstOf(world.all(data.friends ?? null), first),
        boss: () => (data.boss ? world.one(data.boss) : null),
        address: data.address ?? null,
        birthday: data.age === null ? null : `19${data.age}-01-02`,
        prefs: () => (data.age === null ? null : { theme: 'dark', list: [1, null, { deep: [] }], id }),
        nicknames: data.nicknames ?? null,
        internalId: `internal-${id}`,
        discount: data.age === null ? null : data.age / 100,
        reviews: ({ min, filter }: { min?: number; filter?: { mood?: string } | null }) =>
          world
            .of(['Review'], 'reviews')
            .filter(
              ({ writerId, stars, mood }) =>
                writerId === id && Number(stars) >= (min ?? 0) && (!filter?.mood || mood === filter.mood),
            ),
        basket: () => world.all(data.basket ?? null),
        loans: () => world.all(data.loans ?? []),
        visited: () => world.all(data.visited ?? null),
        ...requiredFields,
      },
      data.absent,
    );
  const robot = (id: string, model: string, owner: string | null, absent: string[] = []): Row =>
    row(
      'Robot',
      id,
      {
        id,
        name: `Robot ${id}`,
        email: `${id}@robots.org`,
        model,
        owner: () => owner && world.one(owner),
        guards: () => world.one(id === 'r1' ? 'v1' : 'v3'),
      },
      absent,
    );
  const company = (
    id: string,
    taxId: { country: string; number: number },
    data: { name: string | null; ceo: string | null; staff: Ids | null; site: string | null },
    absent: string[] = [],
  ): Row =>
    row(
      'Company',
      id,
      {
        taxId,
        name: data.name,
        ceo: () => data.ceo && world.one(data.ceo),
        staff: () => world.all(data.staff),
        site: () => data.site && world.one(data.site),
        venues: () => (taxId.number > 0 ? world.all(['v1', 'v2']) : []),
      },
      absent,
    );
  return [
    user('u1', {
      name: 'Ada',
      age: 36,
      role: 'ADMIN',
      friends: ['u2', 'u3', 'u1', 'u2', 'u6'],
      boss: 'u2',
      address: { street: 'Long Street 1', city: { name: 'Kiel', zip: '24103' } },
      nicknames: ['A', null, ''],
      basket: ['b1', 'f1', null, 'b1', 'p1', 'g2'],
      loans: ['b1', 'b2', null],
      visited: ['v1', null, 'v2', 'v1'],
    }),
    user('u2', {
      name: 'Bob',
      age: 0,
      friends: ['u4'],
      address: { street: null, city: { name: 'Bonn', zip: null } },
      nicknames: [],
      basket: [],
      visited: ['v3'],
    }),
    user('u3', { name: '', age: null, friends: null, boss: 'u4', address: { street: 'Wide 2', city: null } }),
    user('u4', { name: 'Root', age: 50, role: 'ROOT', friends: ['u1'], boss: 'u1', basket: ['f2', 'g1'] }),
    user('u5', { name: null, age: 20, friends: [], boss: 'u6', loans: ['b3'] }),
    user('u6', { name: 'Ghost', age: 70, absent: ['people'] }),
    user('u7', {
      name: 'Gil',
      age: 41,
      friends: ['u1', 'u7'],
      boss: 'u7',
      absent: ['reviews', 'prices', 'stock'],
    }),
    robot('r1', 'M1', 'u1'),
    robot('r2', '', null),
    robot('r3', 'M3', 'u2', ['people', 'venues']),
    company(
      'c1',
      { country: 'de', number: 1 },
      { name: 'One', ceo: 'u1', staff: ['u2', 'r1', null, 'u2'], site: 'v1' },
    ),
    company('c2', { country: 'us', number: 0 }, { name: null, ceo: null, staff: null, site: 'v3' }),
    company('c3', { country: 'de', number: 3 }, { name: 'Gone', ceo: 'u1', staff: [], site: null }, [
      'people',
    ]),
  ];
}
