import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../platform/testing/until.js';
import { erased } from '../platform/text.js';
import { courierAccount } from './support/couriers.js';
import { codeOf, type Dispatch, dispatchOf, wayToTheDoor } from './support/dispatch.js';
import { realBus } from './support/real-bus.js';
import { type Session, type Sessions, selected, sessionsOf } from './support/sessions.js';
import { type System, startSystem } from './support/system.js';
import { placeWatched, rich } from './support/watched.js';

/** Nobody is assigned, and nothing moves, but by what a test does. */
let system: System;
let dispatch: Dispatch;
let adminToken: string;
const bus = realBus();

beforeAll(async () => {
  system = await startSystem({
    ...bus.env(),
    ...{ DELIVERY_SIMULATION: 'off', COURIER_ASSIGNMENT: 'manual', TRUSTED_PROXIES: '127.0.0.1' },
  });
  dispatch = dispatchOf(system);
  sessions = sessionsOf(system);
  adminToken = (await login('admin@example.com', 'doorstep-demo')).accessToken;
});
afterAll(() => system?.stop());

let sessions: Sessions;
const tryLogin: Sessions['tryLogin'] = (...given) => sessions.tryLogin(...given);
const login: Sessions['login'] = (...given) => sessions.login(...given);
const refresh = (refreshToken: string) =>
  system.graphql<{ refreshSession: Session }>(
    `mutation ($token: String!) { refreshSession(refreshToken: $token) ${selected} }`,
    { token: refreshToken },
  );
const update = (input: object, token: string) =>
  system.graphql(
    'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { id firstName email } }',
    { input },
    token,
  );
const remove = (id: string, token: string) =>
  system.graphql(
    'mutation ($id: ID!) { deleteUser(id: $id) { id firstName lastName email deletedAt } }',
    { id },
    token,
  );

test('one request has no more passwords hashed than a few', async () => {
  const email = `${randomUUID()}@example.com`;
  const logins = (count: number) =>
    Array.from({ length: count }, (_, n) => `l${n}: login(input: $input) { accessToken }`).join(' ');
  const guess = (count: number) =>
    system.graphql(`mutation ($input: LoginInput!) { ${logins(count)} }`, {
      input: { email, password: 'not the one' },
    });
  expect(codeOf(await guess(9))).toBe('UNAUTHENTICATED');
  expect(codeOf(await guess(10))).toBe('QUERY_TOO_COMPLEX');
});

describe('the list of users', () => {
  interface Page {
    users: {
      nodes: { id: string; email: string }[];
      pageInfo: { endCursor: string | null; hasNextPage: boolean };
      totalCount: number;
    };
  }
  const list = `query ($first: Int, $after: Cursor, $search: String) {
    users(first: $first, after: $after, search: $search) {
      nodes { id email } pageInfo { endCursor hasNextPage } totalCount } }`;

  test('is searched by names and addresses, and walked page by page, the newest first', async () => {
    const mark = randomUUID();
    const made = [];
    for (const name of ['Ada', 'Ben', 'Cleo'])
      made.push(
        (
          await system.ask<{ register: { user: { id: string } } }>(
            'mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }',
            {
              input: {
                ...{ email: `${randomUUID()}@example.org`, password: 'correct horse' },
                ...{ firstName: name, lastName: `X_${mark}%` },
              },
            },
          )
        ).register.user.id,
      );
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { users }: Page = await system.ask(
        list,
        { first: 2, after, search: `x_${mark.toUpperCase()}%` },
        adminToken,
      );
      expect(users.totalCount).toBe(3);
      seen.push(...users.nodes.map(({ id }) => id));
      after = users.pageInfo.hasNextPage ? users.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(made.toReversed());
    const { users } = await system.ask<Page>(list, { search: `ben x_${mark}` }, system.staffToken);
    expect(users.nodes.map(({ id }) => id)).toEqual([made[1]]);
    await remove(made[1] as string, adminToken);
    const { users: left } = await system.ask<Page>(list, { search: `x_${mark}` }, adminToken);
    expect(left.nodes.map(({ id }) => id)).toEqual([made[2], made[0]]);
  });

  test('is for staff alone, and refuses what is no page and no id', async () => {
    const { token } = await system.register();
    expect(codeOf(await system.graphql(list, {}, token))).toBe('FORBIDDEN');
    expect(codeOf(await system.graphql(list, {}))).toBe('UNAUTHENTICATED');
    for (const variables of [{ first: 101 }, { after: 'x' }, { search: 'x'.repeat(201) }])
      expect(codeOf(await system.graphql(list, variables, adminToken))).toBe('BAD_USER_INPUT');
    expect(codeOf(await remove('x', adminToken))).toBe('BAD_USER_INPUT');
    expect(codeOf(await update({ id: 'x', firstName: 'Rosa' }, adminToken))).toBe('BAD_USER_INPUT');
  });
});

describe('an account', () => {
  test('is changed by its user, and by staff; the address in whatever case is taken once', async () => {
    const [one, other] = [await system.register(), await system.register()];
    const email = randomUUID();
    expect(await update({ email: ` ${email}@Example.ORG`, firstName: 'Rosi' }, one.token)).toMatchObject({
      data: { updateUser: { id: one.userId, firstName: 'Rosi', email: `${email}@example.org` } },
    });
    const taken = await update({ id: other.userId, email: `${email}@example.org` }, system.staffToken);
    expect(taken.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', field: 'email' });
    expect(codeOf(await update({ id: other.userId, firstName: 'Rosi' }, one.token))).toBe('FORBIDDEN');
    expect(await system.ask('{ me { email } }', {}, one.token)).toEqual({
      me: { email: `${email}@example.org` },
    });
  });

  test('has sessions that go on by refresh tokens, each good once, until they are ended', async () => {
    const { email, password } = await system.register();
    const first = await login(email, password);
    const second = (await refresh(first.refreshToken)).data?.refreshSession as Session;
    expect(await system.ask('{ me { id } }', {}, second.accessToken)).toEqual({ me: { id: first.user.id } });
    expect(codeOf(await refresh(first.refreshToken))).toBe('UNAUTHENTICATED');
    expect(codeOf(await refresh(second.refreshToken))).toBe('UNAUTHENTICATED');
    const third = await login(email, password);
    const out = 'mutation ($token: String!) { logout(refreshToken: $token) }';
    for (const token of [third.refreshToken, 'nobody knows it'])
      expect(await system.ask(out, { token })).toEqual({ logout: true });
    expect(codeOf(await refresh(third.refreshToken))).toBe('UNAUTHENTICATED');
    const fourth = await login(email, password);
    const everywhere = await system.ask('mutation { logoutEverywhere }', {}, fourth.accessToken);
    expect(everywhere).toEqual({ logoutEverywhere: true });
    expect(codeOf(await refresh(fourth.refreshToken))).toBe('UNAUTHENTICATED');
    expect(codeOf(await system.graphql('mutation { logoutEverywhere }'))).toBe('UNAUTHENTICATED');
  });

  test('takes another password, and no common one', async () => {
    const { email, password } = await system.register();
    const { accessToken, refreshToken } = await login(email, password);
    const change = (input: object) =>
      system.graphql<{ changePassword: Session }>(
        `mutation ($input: ChangePasswordInput!) { changePassword(input: $input) ${selected} }`,
        { input: { currentPassword: password, ...input } },
        accessToken,
      );
    const common = await change({ newPassword: 'Password1' });
    expect(common.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'newPassword' });
    const changed = await change({ newPassword: 'another horse' });
    expect(codeOf(await refresh(refreshToken))).toBe('UNAUTHENTICATED');
    expect(codeOf(await refresh(changed.data?.changePassword.refreshToken ?? ''))).toBeUndefined();
    await login(email, 'another horse');
  });

  test('is not guessed: after ten wrong passwords the right one is refused too, with the time to wait', async () => {
    const { email, password } = await system.register();
    for (let tried = 0; tried < 10; tried += 1)
      expect(codeOf(await tryLogin(email, 'wrong horse'))).toBe('UNAUTHENTICATED');
    const { errors } = await tryLogin(email, password);
    expect(errors[0]?.extensions).toEqual({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) });
  });

  test('is not guessed from one network: what the proxy says of it counts, and no client can', async () => {
    const { email, password } = await system.register();
    const from = async (forwarded: string, given: string) => {
      const response = await system.http('/graphql', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-forwarded-for': forwarded,
          'x-client-address': 'x',
        },
        body: JSON.stringify({
          query: 'mutation ($input: LoginInput!) { login(input: $input) { user { id } } }',
          variables: { input: { email, password: given } },
        }),
      });
      const { errors = [] } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
      return [response.status, errors[0]?.extensions.code, Number(response.headers.get('retry-after')) > 0];
    };
    expect(await from('198.51.100.1', 'wrong horse')).toEqual([200, 'UNAUTHENTICATED', false]);
    const [{ subject } = { subject: '' }] = await system.sql<{ subject: string }>(
      'user',
      'select subject from throttles where most = 100 order by updated_at desc limit 1',
    );
    await system.sql(
      'user',
      'update throttles set failures = array_fill(now(), array[100]) where subject = $1',
      [subject],
    );
    expect(await from('203.0.113.9, 198.51.100.1', password)).toEqual([429, 'RATE_LIMITED', true]);
    expect(await from('198.51.100.1, 203.0.113.9', password)).toEqual([200, undefined, false]);
  });

  test('whose role changes loses its tokens everywhere, and gets new ones by its session', async () => {
    const customer = await system.register();
    const { accessToken, refreshToken } = await login(customer.email, customer.password);
    await system.setRole(customer.userId, 'DISPATCHER');
    for (const query of [
      '{ me { role } }',
      '{ orders { nodes { id } } }',
      '{ myAccount { id } }',
      '{ deliveries { nodes { id } } }',
      '{ me { events { nodes { id } } } }',
    ])
      await until(
        'its tokens are over',
        async () => codeOf(await system.graphql(query, {}, accessToken)) === 'UNAUTHENTICATED',
      );
    const renewed = (await refresh(refreshToken)).data?.refreshSession as Session;
    expect(renewed.user.role).toBe('DISPATCHER');
    await system.ask('{ couriers { nodes { id } } }', {}, renewed.accessToken);
  });
});

test('a courier is linked to a COURIER’s account, and to no other', async () => {
  const create = (userId: string) =>
    system.graphql(
      'mutation ($input: CreateCourierInput!) { createCourier(input: $input) { id user { id } } }',
      { input: { name: 'Rosa', phone: '+49 30 123456', transport: 'CAR', userId } },
      system.staffToken,
    );
  const customer = await system.register();
  expect((await create(customer.userId)).errors[0]?.extensions).toMatchObject({
    code: 'CONFLICT',
    field: 'userId',
  });
  expect((await create(randomUUID())).errors[0]?.extensions).toMatchObject({
    code: 'NOT_FOUND',
    field: 'userId',
  });
  const { userId } = await courierAccount(system);
  expect(codeOf(await create(userId))).toBeUndefined();
});

describe('who is deleted', () => {
  test('leaves orders that are called off, paid back and erased, a courier that is free, and a name of nobody', async () => {
    const customer = await rich(system);
    const courier = await dispatch.hire('Rosa');
    const [done, open] = [await placeWatched(system, customer), await placeWatched(system, customer)];
    for (const { id } of [done, open]) {
      await dispatch.assign(id, courier.id);
      await dispatch.moveAlong(id, id === done.id ? wayToTheDoor : ['IN_TRANSIT'], courier.token);
    }
    await system.reaches(done.id, 'COMPLETED');
    expect(codeOf(await remove(customer.userId, (await system.register()).token))).toBe('FORBIDDEN');
    const deleted = { id: customer.userId, firstName: 'Deleted', lastName: 'user', email: null };
    for (let time = 0; time < 2; time += 1)
      expect((await remove(customer.userId, adminToken)).data).toMatchObject({ deleteUser: deleted });
    await system.reaches(open.id, 'CANCELLED');
    const ends = await Promise.all([open.orders.ended, open.deliveries.ended]);
    // Its sockets are closed, unless the order's end has come before.
    for (const { close, complete } of ends) expect(complete || close?.code === 4403).toBe(true);
    const query = `query ($id: ID!) { order(id: $id) { status deliveryAddress user { id firstName lastName email }
      payment { status } delivery { status address } } }`;
    const order = (id: string) => system.ask<{ order: object }>(query, { id }, system.staffToken);
    await until(
      'all is erased',
      async () => JSON.stringify([await order(done.id), await order(open.id)]).split(erased).length === 5,
    );
    expect((await order(open.id)).order).toMatchObject({
      ...{ status: 'CANCELLED', user: deleted, payment: { status: 'REFUNDED' } },
      delivery: { status: 'CANCELLED' },
    });
    expect((await order(done.id)).order).toMatchObject({
      status: 'COMPLETED',
      payment: { status: 'SUCCESS' },
    });
    expect((await dispatch.couriers()).get(courier.id)).toBe('AVAILABLE');
    await until(
      'its tokens are over',
      async () => codeOf(await system.graphql('{ me { id } }', {}, customer.token)) === 'UNAUTHENTICATED',
    );
    expect(codeOf(await tryLogin(customer.email, customer.password))).toBe('UNAUTHENTICATED');
  });

  test('orders nothing at the same time: each order is refused, or called off', async () => {
    const customer = await rich(system);
    const [product] = system.products;
    const input = {
      deliveryAddress: 'Long Lane 1',
      items: [{ productId: product?.id, quantity: 1, price: product?.price.amount }],
    };
    const placing = Array.from({ length: 8 }, () =>
      system.graphql<{ createOrder: { id: string } }>(
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }',
        { input },
        customer.token,
      ),
    );
    const [, ...placed] = await Promise.all([remove(customer.userId, customer.token), ...placing]);
    for (const { data, errors } of placed) {
      if (data) await system.reaches(data.createOrder.id, 'CANCELLED');
      else expect(errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
    }
    await until('all is paid back', async () => {
      const rows = await system.sql(
        'payment',
        `select from payments where user_id = $1 and status = 'SUCCESS'`,
        [customer.userId],
      );
      return rows.length === 0;
    });
  });

  test('as a courier leaves what they bring to others', async () => {
    const courier = await dispatch.hire('Emil');
    const { id } = await placeWatched(system);
    await dispatch.assign(id, courier.id);
    await dispatch.moveAlong(id, ['IN_TRANSIT'], courier.token);
    const { couriers } = await system.ask<{
      couriers: { nodes: { id: string; user: { id: string } | null }[] };
    }>('{ couriers(first: 100) { nodes { id user { id } } } }', {}, system.staffToken);
    const account = couriers.nodes.find((one) => one.id === courier.id)?.user?.id ?? '';
    await remove(account, adminToken);
    await until('it waits for another', async () => (await dispatch.courierOf(id)) === undefined);
    expect((await dispatch.couriers()).get(courier.id)).toBe('OFFLINE');
  });
});
