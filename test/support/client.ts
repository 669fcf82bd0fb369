import { randomUUID } from 'node:crypto';
import { type Live, subscribe } from './live.js';

/** What a client gets; `text` is the whole body as it came. */
export interface Answer<T> {
  status: number;
  text: string;
  data: T | null | undefined;
  errors: AnswerError[];
}

export interface AnswerError {
  message: string;
  path?: (string | number)[];
  extensions: { code: string; [key: string]: unknown };
}

export interface Customer {
  userId: string;
  token: string;
  email: string;
  password: string;
}

export interface Product {
  id: string;
  name: string;
  price: { amount: string };
}

export interface NewOrder {
  items?: { productId: string; quantity: number; price: string }[];
  deliveryAddress?: string;
  idempotencyKey?: string;
}

/** A client of a gateway, and what its users do there. */
export interface Client {
  /** Of the gateway: http://host:port. */
  url: string;
  http(path: string, init?: RequestInit): Promise<Response>;
  /** Asks the gateway; never throws for what GraphQL says. */
  graphql<T = Record<string, unknown>>(query: string, variables?: object, token?: string): Promise<Answer<T>>;
  /** Asks the gateway and throws unless the answer is whole. */
  ask<T>(query: string, variables?: object, token?: string): Promise<T>;
  products(): Promise<Product[]>;
  /** A new customer, with an empty account. */
  register(): Promise<Customer>;
  /** Adds to an account, once it is open; `amount` as in '12.50'. */
  topUp(customer: Customer, amount: string): Promise<void>;
  /** Places an order (one of the cheapest product unless told) and answers its id. */
  order(customer: Pick<Customer, 'token'>, order?: NewOrder): Promise<string>;
  subscribe<T = Record<string, unknown>>(query: string, variables?: object, token?: string): Live<T>;
}

export function createClient(url: string): Client {
  let known: Promise<Product[]> | undefined;

  const http: Client['http'] = (path, init) => fetch(new URL(path, url), init);

  async function graphql<T>(query: string, variables: object = {}, token?: string): Promise<Answer<T>> {
    const headers = {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const response = await http('/graphql', {
      method: 'POST',
      headers,
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.text();
    const { data, errors = [] } = JSON.parse(text) as { data?: T | null; errors?: AnswerError[] };
    return { status: response.status, text, data, errors };
  }

  async function ask<T>(query: string, variables?: object, token?: string): Promise<T> {
    const { data, errors, text } = await graphql<T>(query, variables, token);
    if (errors.length > 0 || !data) throw new Error(text);
    return data;
  }

  async function products(): Promise<Product[]> {
    const { products: page } = await ask<{ products: { nodes: Product[] } }>(
      '{ products { nodes { id name price { amount } } } }',
    );
    return page.nodes;
  }

  async function register(): Promise<Customer> {
    const email = `${randomUUID()}@example.org`;
    const password = 'correct horse';
    const { register: session } = await ask<{ register: { accessToken: string; user: { id: string } } }>(
      'mutation ($input: RegisterInput!) { register(input: $input) { accessToken user { id } } }',
      { input: { email, password, firstName: 'Rosa', lastName: 'Random' } },
    );
    return { userId: session.user.id, token: session.accessToken, email, password };
  }

  return {
    url,
    http,
    graphql,
    ask,
    products,
    register,
    async topUp({ token }, amount) {
      const input = { amount, idempotencyKey: randomUUID() };
      await ask('mutation ($input: TopUpInput!) { topUp(input: $input) { id } }', { input }, token);
    },
    async order({ token }, order = {}) {
      known ??= products().catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      const [first] = await known;
      if (!first) throw new Error('there are no products');
      const items = [{ productId: first.id, quantity: 1, price: first.price.amount }];
      const input = { items, deliveryAddress: 'Long Lane 1', ...order };
      const { createOrder } = await ask<{ createOrder: { id: string } }>(
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }',
        { input },
        token,
      );
      return createOrder.id;
    },
    subscribe: (query, variables = {}, token) => subscribe(`${url}/graphql`, { query, variables }, token),
  };
}
