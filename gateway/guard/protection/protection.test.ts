import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '../../index.js';
import { openSocket } from '../../testing/client.js';
import { type Issuer, startIssuer, startTestGateway, until } from '../../testing/gateway.js';
import { startVault, type Vault, vaultSupergraph } from '../../testing/vault.js';

let vault: Vault;
let issuer: Issuer;
let bearer: Record<'customer' | 'courier' | 'staff' | 'admin', string>;
beforeAll(async () => {
  [vault, issuer] = await Promise.all([startVault(), startIssuer()]);
  const roles = { customer: 'CUSTOMER', courier: 'COURIER', staff: 'DISPATCHER', admin: 'ADMIN' } as const;
  bearer = Object.fromEntries(
    await Promise.all(Object.entries(roles).map(async ([name, role]) => [name, await issuer.bearerOf(role)])),
  );
});
afterAll(() => Promise.all([vault.stop(), issuer.stop()]));

describe.each(['doorstep', 'apollo'] as const)('%s: what may not be seen', (executor) => {
  let gateway: Gateway;
  beforeAll(async () => {
    const { urls: subgraphUrls } = vault;
    const { jwksUrl } = issuer;
    gateway = await startTestGateway({ supergraph: vaultSupergraph(), subgraphUrls, jwksUrl, executor });
  });
  afterAll(() => gateway.stop());

  async function ask(query: string, as?: keyof typeof bearer, variables: Record<string, unknown> = {}) {
    vault.asked.length = 0;
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(as && { authorization: bearer[as] }) },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as { data?: unknown; errors?: unknown[] };
  }
  const denied = (code: string, ...paths: (string | number)[][]) =>
    paths.map((path) => ({ message: expect.any(String), path, extensions: { code } }));

  test('is null, has an error with its place, and is not fetched; the rest is there', async () => {
    const query = '{ item(id: "1") { name price note public } noteCount }';
    expect(await ask(query)).toEqual({
      data: { item: { name: 'item 1', price: null, note: null, public: 'open' }, noteCount: 1 },
      errors: denied('UNAUTHENTICATED', ['item', 'price'], ['item', 'note']),
    });
    expect(vault.asked).toEqual([]);
    expect(await ask(query, 'customer')).toEqual({
      data: { item: { name: 'item 1', price: null, note: 'fragile', public: 'open' }, noteCount: 1 },
      errors: denied('FORBIDDEN', ['item', 'price']),
    });
    expect(vault.asked).toEqual(['note']);
    expect(await ask(query, 'admin')).toEqual({
      data: { item: { name: 'item 1', price: 5, note: 'fragile', public: 'open' }, noteCount: 1 },
    });
  });

  test('all scopes of a group are needed, and one group is enough', async () => {
    const query = '{ item(id: "1") { price } }';
    // Staff has one of the two scopes of the first group.
    expect(await ask(query, 'staff')).toMatchObject({ data: { item: { price: null } } });
    expect(await ask(query, 'admin')).toEqual({ data: { item: { price: 5 } } });
  });

  test('a policy that nobody knows holds for nobody', async () => {
    expect(await ask('{ nobody }', 'admin')).toEqual({
      data: { nobody: null },
      errors: denied('FORBIDDEN', ['nobody']),
    });
    expect(vault.asked).toEqual([]);
  });

  test('takes what cannot be without it along, and no more', async () => {
    expect(await ask('{ item(id: "1") { inside { owner } name } }')).toEqual({
      data: { item: { inside: null, name: 'item 1' } },
      errors: denied('UNAUTHENTICATED', ['item', 'inside', 'owner']),
    });
    expect(await ask('{ strict { owner } noteCount }')).toEqual({
      data: null,
      errors: denied('UNAUTHENTICATED', ['strict', 'owner']),
    });
  });

  test('has errors where there is something, by the names of the answer', async () => {
    expect(await ask('{ all: items { cost: price id } none: item(id: "none") { price } }')).toEqual({
      data: { all: [{ cost: null, id: '1' }, null, { cost: null, id: '2' }], none: null },
      errors: denied('UNAUTHENTICATED', ['all', 0, 'cost'], ['all', 2, 'cost']),
    });
  });

  test('an object of which nothing is left is still there', async () => {
    expect(await ask('{ item(id: "1") { price } none: item(id: "none") { price } }')).toEqual({
      data: { item: { price: null }, none: null },
      errors: denied('UNAUTHENTICATED', ['item', 'price']),
    });
  });

  test('counts by the type of a field and by its parent', async () => {
    expect(await ask('{ item(id: "1") { secret } }', 'customer')).toEqual({
      data: { item: { secret: null } },
      errors: denied('FORBIDDEN', ['item', 'secret']),
    });
    const found = '{ found { __typename ... on Book { label } ... on Gem { label } } }';
    expect(await ask(found, 'customer')).toEqual({
      data: {
        found: [
          { __typename: 'Book', label: 'a book' },
          { __typename: 'Gem', label: null },
        ],
      },
      errors: denied('FORBIDDEN', ['found', 1, 'label']),
    });
    expect(vault.asked).toEqual([]);
    expect(await ask(found, 'courier')).toEqual({
      data: {
        found: [
          { __typename: 'Book', label: 'a book' },
          { __typename: 'Gem', label: 'a gem' },
        ],
      },
    });
  });

  test('a field that is called __typename leaves the types told', async () => {
    const query = '{ things { label ... on Book { __typename: weight } } }';
    expect(await ask(query, 'customer')).toEqual({
      data: { things: [{ label: null, __typename: 1 }, { label: null }] },
      errors: denied('FORBIDDEN', ['things', 0, 'label'], ['things', 1, 'label']),
    });
  });

  test('a field of an interface needs what it needs in any object', async () => {
    const query = '{ things { label ... on Book { weight } } }';
    expect(await ask(query, 'customer')).toEqual({
      data: { things: [{ label: null, weight: 1 }, { label: null }] },
      errors: denied('FORBIDDEN', ['things', 0, 'label'], ['things', 1, 'label']),
    });
    expect(vault.asked).toEqual(['Book.weight']);
    expect(await ask('{ sized { size } }')).toEqual({ data: { sized: [{ size: 3 }] } });
    const both = '{ things { ...l ... on Book { label } } } fragment l on Thing { label }';
    expect(await ask(both, 'customer')).toEqual({
      data: { things: [{ label: 'a book' }, { label: null }] },
      errors: denied('FORBIDDEN', ['things', 1, 'label']),
    });
    expect(vault.asked).toEqual([]);
    expect(await ask(both, 'staff')).toEqual({
      data: { things: [{ label: 'a book' }, { label: 'a coin' }] },
    });
  });

  test('an interface needs what any of its objects does', async () => {
    expect(await ask('{ precious { label } }', 'staff')).toEqual({
      data: { precious: null },
      errors: denied('FORBIDDEN', ['precious']),
    });
    expect(vault.asked).toEqual([]);
    expect(await ask('{ precious { label } }', 'courier')).toEqual({
      data: { precious: [{ label: 'a gem' }] },
    });
  });

  test('in fragments, under conditions and with variables of its own', async () => {
    const query = `query ($on: Boolean!, $id: ID!, $unused: Int = 3) {
      item(id: $id) { ...f price @include(if: $on) name @skip(if: $on) }
    }
    fragment f on Item { inside { ...g } }
    fragment g on Item { price note public }`;
    const all = { on: true, id: '1' };
    expect(await ask(query.replace(', $unused: Int = 3', ''), undefined, all)).toEqual({
      data: { item: { inside: { price: null, note: null, public: 'open' }, price: null } },
      errors: denied(
        'UNAUTHENTICATED',
        ['item', 'inside', 'price'],
        ['item', 'inside', 'note'],
        ['item', 'price'],
      ),
    });
    expect(
      await ask('query ($on: Boolean!) { item(id: "1") { price @include(if: $on) name } }', undefined, {
        on: false,
      }),
    ).toEqual({
      data: { item: { name: 'item 1' } },
    });
    // Still refused for what is wrong in it, though not all of it is run.
    expect(await ask(query, undefined, all)).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    expect(await ask('mutation ($id: ID!) { open sell(id: $id) { id } }', 'staff', { id: '1' })).toEqual({
      data: null,
      errors: denied('FORBIDDEN', ['sell']),
    });
    expect(vault.asked).toEqual([]);
    const selling = 'mutation ($is: Boolean!) { open a: sell(id: "1") @include(if: $is) { id } }';
    expect(await ask(selling, 'staff', { is: false })).toEqual({ data: { open: expect.anything() } });
    expect(vault.asked).toEqual(['open']);
  });

  test.each(['', 'Other', '__proto__'])(
    'whatever name an operation is asked by: %j',
    async (operationName) => {
      vault.asked.length = 0;
      const body = JSON.stringify({ query: '{ staff }', operationName });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
      expect(await response.json()).toMatchObject({
        errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
      });
      expect(vault.asked).toEqual([]);
    },
  );

  test('roots alone, introspection beside them, mutations', async () => {
    expect(await ask('{ mine { id } staff __schema { queryType { name } } __typename }', 'customer')).toEqual(
      {
        data: {
          mine: [{ id: '1' }],
          staff: null,
          __schema: { queryType: { name: 'Query' } },
          __typename: 'Query',
        },
        errors: denied('FORBIDDEN', ['staff']),
      },
    );
    expect(await ask('mutation { sell(id: "1") { id } }')).toEqual({
      data: null,
      errors: denied('UNAUTHENTICATED', ['sell']),
    });
    expect(vault.asked).toEqual([]);
    expect(await ask('mutation { sell(id: "1") { id price } }', 'admin')).toEqual({
      data: { sell: { id: '1', price: 5 } },
    });
  });

  test('what is left is one document for all who lack the same, and nobody gets what another may', async () => {
    const query = '{ item(id: "1") { price secret } staff }';
    for (let time = 0; time < 3; time++) {
      expect((await ask(query)).errors).toHaveLength(3);
      expect(await ask(query, 'staff')).toMatchObject({
        data: { item: { price: null, secret: 'xyz' }, staff: 'staff' },
        errors: denied('FORBIDDEN', ['item', 'price']),
      });
      expect((await ask(query, 'admin')).errors).toBeUndefined();
    }
  });

  test('a field that is taken out of one place and left in another has each of its places told', async () => {
    const query = `{ things { ...l ... on Book { inner: label } } sized { size } all: items { ...i } item(id: "1") { inside { ...i } name } }
      fragment l on Thing { label } fragment i on Item { price name }`;
    expect(await ask(query, 'customer')).toEqual({
      data: {
        things: [{ label: null, inner: 'a book' }, { label: null }],
        sized: [{ size: 3 }],
        all: [{ price: null, name: 'item 1' }, null, { price: null, name: 'item 2' }],
        item: { inside: { price: null, name: 'item in' }, name: 'item 1' },
      },
      errors: denied(
        'FORBIDDEN',
        ['things', 0, 'label'],
        ['things', 1, 'label'],
        ['all', 0, 'price'],
        ['all', 2, 'price'],
        ['item', 'inside', 'price'],
      ),
    });
  });

  test('variables of what was taken out have to be right too', async () => {
    const query = 'query ($on: Boolean!) { item(id: "1") { name price @include(if: $on) } }';
    for (const variables of [{}, { on: 'yes' }, { on: null }])
      expect(await ask(query, undefined, variables)).toMatchObject({
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
      });
  });

  test('subscriptions of which different fields are left out do not get each other’s events', async () => {
    const socket = await openSocket(gateway.url);
    const before = vault.changes.listeners();
    const on = 'subscription ($on: Boolean!) { changed { id price @include(if: $on) } }';
    socket.subscribe('a', 'subscription { changed { id price } }');
    socket.subscribe('b', 'subscription { changed { id secret } }');
    socket.subscribe('c', 'subscription {\n  changed {\n    id\n  }\n}');
    socket.subscribe('d', on, { on: true });
    socket.subscribe('e', on, { on: false });
    await until(() => vault.changes.listeners() === before + 5);
    vault.changes.push({ changed: { id: '9' } });
    const got = new Map<string | undefined, unknown>();
    while (got.size < 5) {
      const { id, payload } = await socket.next();
      got.set(id, (payload as { data: { changed: object } }).data.changed);
    }
    expect(Object.fromEntries(got)).toEqual({
      a: { id: '9', price: null },
      b: { id: '9', secret: null },
      c: { id: '9' },
      d: { id: '9', price: null },
      e: { id: '9' },
    });
    socket.close();
  });

  test('a subscription that one may not see is refused, and one whose events have such fields goes on', async () => {
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', 'subscription { sold { id } }');
    expect(await socket.next()).toMatchObject({
      type: 'error',
      id: '1',
      payload: denied('UNAUTHENTICATED', ['sold']),
    });
    socket.subscribe('2', 'subscription { changed { id price note public } }');
    await until(() => vault.changes.listeners() > 0);
    vault.changes.push({ changed: { id: '7' } });
    expect(await socket.next()).toMatchObject({
      type: 'next',
      id: '2',
      payload: {
        data: { changed: { id: '7', price: null, note: null, public: 'open' } },
        errors: denied('UNAUTHENTICATED', ['changed', 'price'], ['changed', 'note']),
      },
    });
    socket.close();
    const streamed = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { sold { id } }' }),
    });
    expect(await streamed.text()).toContain('UNAUTHENTICATED');
  });
});
