import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Customer, Product } from './support/client.js';
import { expectRefused } from './support/refusals.js';
import { type System, startSystem } from './support/system.js';

let system: System;
let customer: Customer;
let product: Product;
beforeAll(async () => {
  // Nothing moves by itself: every row that appears is one that a request made.
  system = await startSystem({ DELIVERY_SIMULATION: 'off' });
  customer = await system.register();
  await system.topUp(customer, '10.00');
  product = system.products[0] as Product;
});
afterAll(() => system?.stop());

const createOrder = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const topUp = 'mutation ($input: TopUpInput!) { topUp(input: $input) { id } }';
const register = 'mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }';
const login = 'mutation ($input: LoginInput!) { login(input: $input) { user { id } } }';
const unknownId = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11';
const line = () => ({ productId: product.id, quantity: 1, price: product.price.amount });

describe('a document that is wrong is refused', () => {
  const cases: [string, string, object, string][] = [
    ['that is cut off', '{ me { id', {}, 'GRAPHQL_PARSE_FAILED'],
    ['that is no GraphQL', 'select * from users', {}, 'GRAPHQL_PARSE_FAILED'],
    ['that is empty', '', {}, 'BAD_USER_INPUT'],
    ['with a NUL byte', '{ me { id \0 } }', {}, 'GRAPHQL_PARSE_FAILED'],
    ['with an unknown field', '{ me { passwordHash } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['with an unknown argument', '{ order(number: 1) { id } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['without a selection', '{ me }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'with a literal of another type',
      '{ products(first: "ten") { totalCount } }',
      {},
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'with several operations and no name',
      'query A { me { id } } query B { me { id } }',
      {},
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'that subscribes over HTTP',
      `subscription { orderUpdated(orderId: "${unknownId}") { cursor } }`,
      {},
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'with entities that only the gateway may ask for',
      '{ _entities(representations: []) { __typename } }',
      {},
      'GRAPHQL_VALIDATION_FAILED',
    ],
  ];
  test.each(cases)('%s', async (_name, query, variables, code) => {
    await expectRefused(system, { query, variables, token: customer.token }, { code });
  });
});

describe('variables that do not fit are refused, by their name', () => {
  const cases: [string, string, object, string][] = [
    ['missing', createOrder, {}, 'input'],
    ['null', createOrder, { input: null }, 'input'],
    ['of another type', createOrder, { input: 'an espresso' }, 'input'],
    ['with an unknown key', topUp, { input: { amount: '1.00', idempotencyKey: 'a', bonus: true } }, 'input'],
    [
      'with a fraction for an Int',
      'query ($first: Int) { products(first: $first) { totalCount } }',
      { first: 1.5 },
      'first',
    ],
    [
      'with more than an Int holds',
      'query ($first: Int) { products(first: $first) { totalCount } }',
      { first: 2 ** 31 },
      'first',
    ],
    ['with an object for an ID', 'query ($id: ID!) { order(id: $id) { id } }', { id: { $ne: null } }, 'id'],
    [
      'with an unknown enum value',
      'query ($status: OrderStatus) { me { orders(status: $status) { totalCount } } }',
      { status: 'LOST' },
      'status',
    ],
  ];
  test.each(cases)('%s', async (_name, query, variables, field) => {
    await expectRefused(
      system,
      { query, variables, token: customer.token },
      { code: 'BAD_USER_INPUT', field },
    );
  });
  test('and so is a text for a quantity, by its whole path', async () => {
    const variables = { input: { items: [{ ...line(), quantity: '2' }], deliveryAddress: 'Long Lane 1' } };
    await expectRefused(
      system,
      { query: createOrder, variables, token: customer.token },
      { code: 'BAD_USER_INPUT', field: 'items.0.quantity' },
    );
  });
});

describe('an order is refused', () => {
  const bad = (field: string) => ({ code: 'BAD_USER_INPUT', field });
  const cases: [string, () => object, { code: string; field?: string }][] = [
    ['with quantity 0', () => ({ items: [{ ...line(), quantity: 0 }] }), bad('items.0.quantity')],
    ['with quantity -1', () => ({ items: [{ ...line(), quantity: -1 }] }), bad('items.0.quantity')],
    [
      'with quantity 1001',
      () => ({ items: [line(), { ...line(), quantity: 1001 }] }),
      bad('items.1.quantity'),
    ],
    ['without items', () => ({ items: [] }), bad('items')],
    ['with 101 items', () => ({ items: Array.from({ length: 101 }, line) }), bad('items')],
    [
      'of an unknown product',
      () => ({ items: [{ ...line(), productId: unknownId }] }),
      { code: 'NOT_FOUND' },
    ],
    ['of what is no id', () => ({ items: [{ ...line(), productId: '1' }] }), bad('items.0.productId')],
    [
      'of an id with a NUL byte',
      () => ({ items: [{ ...line(), productId: `${product.id}\0` }] }),
      bad('items.0.productId'),
    ],
    [
      'of an id that goes on',
      () => ({ items: [{ ...line(), productId: `${product.id}${'a'.repeat(100_000)}` }] }),
      bad('items.0.productId'),
    ],
    [
      'at another price',
      () => ({ items: [{ ...line(), price: '0.01' }] }),
      { code: 'PRICE_CHANGED', field: 'items.0.price' },
    ],
    [
      'at a price with three decimals',
      () => ({ items: [{ ...line(), price: '2.000' }] }),
      bad('items.0.price'),
    ],
    ['at a price with an exponent', () => ({ items: [{ ...line(), price: '2e0' }] }), bad('items.0.price')],
    ['at a negative price', () => ({ items: [{ ...line(), price: '-2.00' }] }), bad('items.0.price')],
    ['at a price that is a number', () => ({ items: [{ ...line(), price: 2 }] }), bad('items.0.price')],
    ['at a price that is a list', () => ({ items: [{ ...line(), price: ['2.00'] }] }), bad('items.0.price')],
    ['at a price that is empty', () => ({ items: [{ ...line(), price: '' }] }), bad('items.0.price')],
    ['to nowhere', () => ({ deliveryAddress: '  ' }), bad('deliveryAddress')],
    ['to an address with a NUL byte', () => ({ deliveryAddress: 'Long\0Lane' }), bad('deliveryAddress')],
    [
      'to an address with half a character',
      () => ({ deliveryAddress: 'Long \ud83d Lane' }),
      bad('deliveryAddress'),
    ],
    ['to an address of 501 characters', () => ({ deliveryAddress: 'a'.repeat(501) }), bad('deliveryAddress')],
    ['with an empty idempotency key', () => ({ idempotencyKey: '' }), bad('idempotencyKey')],
    [
      'with an idempotency key of 201 characters',
      () => ({ idempotencyKey: 'k'.repeat(201) }),
      bad('idempotencyKey'),
    ],
    ['with a NUL byte in its idempotency key', () => ({ idempotencyKey: 'k\0' }), bad('idempotencyKey')],
    [
      'with half a character in its idempotency key',
      () => ({ idempotencyKey: 'k\udc00' }),
      bad('idempotencyKey'),
    ],
  ];
  test.each(cases)('%s', async (_name, order, expected) => {
    const variables = { input: { items: [line()], deliveryAddress: 'Long Lane 1', ...order() } };
    await expectRefused(system, { query: createOrder, variables, token: customer.token }, expected);
  });
});

describe('a top-up is refused', () => {
  const cases: [string, object, string][] = [
    ['of nothing', { amount: '0.00' }, 'amount'],
    ['of less', { amount: '-5.00' }, 'amount'],
    ['with three decimals', { amount: '1.001' }, 'amount'],
    ['with an exponent', { amount: '1e3' }, 'amount'],
    ['that is a number', { amount: 5 }, 'amount'],
    ['that is true', { amount: true }, 'amount'],
    ['that is not a number', { amount: 'NaN' }, 'amount'],
    ['with other digits', { amount: '١٢' }, 'amount'],
    ['with a space', { amount: ' 5.00' }, 'amount'],
    ['with a NUL byte', { amount: '5\0' }, 'amount'],
    ['of more than there is', { amount: '10000000.01' }, 'amount'],
    ['of a hundred thousand digits', { amount: '9'.repeat(100_000) }, 'amount'],
    ['for what is no user', { amount: '5.00', userId: '' }, 'userId'],
    ['for an id with a NUL byte', { amount: '5.00', userId: `${unknownId}\0` }, 'userId'],
    ['with a NUL byte in its key', { amount: '5.00', idempotencyKey: '\0' }, 'idempotencyKey'],
  ];
  test.each(cases)('%s', async (_name, input, field) => {
    const variables = { input: { idempotencyKey: 'a key', ...input } };
    await expectRefused(
      system,
      { query: topUp, variables, token: customer.token },
      { code: 'BAD_USER_INPUT', field },
    );
  });
  test('for somebody else', async () => {
    const variables = { input: { amount: '5.00', idempotencyKey: 'a key', userId: unknownId } };
    await expectRefused(system, { query: topUp, variables, token: customer.token }, { code: 'FORBIDDEN' });
  });
});

describe('a registration is refused', () => {
  const cases: [string, object, string][] = [
    ['without an @', { email: 'rosa.example.org' }, 'email'],
    ['without a dot in the host', { email: 'rosa@example' }, 'email'],
    ['with a NUL byte in its address', { email: 'ro\0sa@example.org' }, 'email'],
    ['with half a character in its address', { email: 'ro\ud800sa@example.org' }, 'email'],
    ['with an address that is too long', { email: `rosa@${'a'.repeat(250)}.org` }, 'email'],
    ['with a number for an address', { email: 5 }, 'email'],
    ['with a short password', { password: 'horse12' }, 'password'],
    ['with a long password', { password: 'h'.repeat(129) }, 'password'],
    ['with a NUL byte in its password', { password: 'correct\0horse' }, 'password'],
    ['with half a character in its password', { password: 'correct \udfff horse' }, 'password'],
    ['without a first name', { firstName: ' ' }, 'firstName'],
    ['with a NUL byte in its first name', { firstName: 'Ro\0sa' }, 'firstName'],
    ['with half a character in its last name', { lastName: '\ud83d' }, 'lastName'],
    ['with a last name of 101 characters', { lastName: 'R'.repeat(101) }, 'lastName'],
  ];
  test.each(cases)('%s', async (_name, input, field) => {
    const variables = {
      input: {
        email: 'rosa@example.org',
        password: 'correct horse',
        firstName: 'Rosa',
        lastName: 'R',
        ...input,
      },
    };
    await expectRefused(system, { query: register, variables }, { code: 'BAD_USER_INPUT', field });
  });
  test('for an address that is taken, in capitals too', async () => {
    const input = {
      email: ` ${customer.email.toUpperCase()}`,
      password: 'correct horse',
      firstName: 'Rosa',
      lastName: 'R',
    };
    await expectRefused(
      system,
      { query: register, variables: { input } },
      { code: 'CONFLICT', field: 'email' },
    );
  });
});

describe('a login is refused, whatever is wrong with it', () => {
  const cases: [string, () => object][] = [
    ['an unknown address', () => ({ email: 'nobody@example.org' })],
    ['a wrong password', () => ({ password: 'wrong horse' })],
    ['an address with a NUL byte', () => ({ email: `${customer.email}\0` })],
    ['an address with half a character', () => ({ email: `\ud800${customer.email}` })],
    ['a password with a NUL byte', () => ({ password: `${customer.password}\0` })],
    ['a password of a hundred thousand characters', () => ({ password: 'h'.repeat(100_000) })],
    ['an address that is an object', () => ({ email: { contains: '@' } })],
  ];
  test.each(cases)('%s', async (_name, input) => {
    const variables = { input: { email: customer.email, password: customer.password, ...input() } };
    await expectRefused(system, { query: login, variables }, { code: 'UNAUTHENTICATED' });
  });
});
