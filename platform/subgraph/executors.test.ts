import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../auth/principal.js';
import { type Executor, executors } from '../config.js';
import { problem } from '../errors.js';
import { createHttpServer, listen } from '../http.js';
import { silent } from '../testing/log.js';
import { type RichContext, richContext, richSchema } from '../testing/rich-schema.js';
import { createTokens } from '../testing/tokens.js';
import { startGraphQL } from './graphql.js';

interface Asked {
  method?: string;
  search?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

interface Answered {
  status: number;
  headers: Record<string, string | undefined>;
  body: { data?: unknown; errors?: { message: string; extensions: { code: string; errorId?: string } }[] };
}

const ask = {} as Record<Executor, (asked: Asked) => Promise<Answered>>;
const calls = {} as Record<Executor, string[]>;
const closing: (() => Promise<void>)[] = [];
let authorization: (role: Role) => Promise<string>;

beforeAll(async () => {
  const tokens = await createTokens();
  authorization = async (role) =>
    `Bearer ${(await tokens.signer.sign({ id: randomUUID(), role })).accessToken}`;
  for (const executor of executors) {
    const http = createHttpServer({
      service: executor,
      log: silent,
      readTimeoutMs: 15_000,
      writeTimeoutMs: 15_000,
      missing: () => [],
    });
    const graphql = await startGraphQL({
      executor,
      // In the place of a service's name: errors tell it.
      service: 'rich',
      schema: richSchema(),
      verifier: tokens.verifier,
      context: (principal): RichContext => {
        if (principal?.role === 'CUSTOMER') throw new Error('no context');
        if (principal?.role === 'DISPATCHER') throw problem('CONFLICT', 'No JSON.', { number: 1n });
        if (principal?.role === 'COURIER')
          throw problem('FORBIDDEN', 'Not for couriers.', { http: { status: 403 } });
        const context = richContext();
        calls[executor] = context.calls;
        return context;
      },
      log: silent,
    });
    http.route({ method: ['GET', 'POST'], url: '/graphql', handler: graphql.handler });
    const port = await listen(http, { host: '127.0.0.1', port: 0 });
    closing.push(async () => {
      await http.close();
      await graphql.stop();
    });
    ask[executor] = async ({ method = 'POST', search = '', headers = {}, body }) => {
      const sent = httpRequest({
        ...{ port, method, path: `/graphql${search}` },
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      });
      sent.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
      const [response] = await once(sent, 'response');
      const read = await text(response);
      const { 'content-type': type, allow, 'cache-control': cache } = response.headers;
      return {
        status: response.statusCode,
        headers: { type, allow, cache },
        body: read === '' ? {} : JSON.parse(read),
      };
    };
  }
});
afterAll(() => Promise.all(closing.map((close) => close())));

/** Ids of errors are new each time. */
function withoutIds(answered: Answered): Answered {
  const ids = answered.body.errors?.flatMap(({ extensions }) => extensions.errorId ?? []) ?? [];
  return JSON.parse(ids.reduce((written, id) => written.replaceAll(id, 'an id'), JSON.stringify(answered)));
}

/** Asks both; answers what Apollo Server says. */
async function both(asked: Asked): Promise<{ apollo: Answered; doorstep: Answered }> {
  return { apollo: withoutIds(await ask.apollo(asked)), doorstep: withoutIds(await ask.doorstep(asked)) };
}

describe('what is executed is answered alike: status, headers, data and errors, and calls of resolvers', () => {
  const hows = ['THROW', 'REJECT', 'CODE', 'NULL', 'WRONG', 'FINE'];
  const documents: [string, object?, object?][] = [
    ['{ hero { id name color friends { id self { name } } friend { id ... on Villain { evil } } } }'],
    [
      '{ heroes { loaded(id: "1") { id } } a { loaded(id: "2") { id loaded(id: "3") { id } } } maybes { id } }',
    ],
    ...hows.flatMap((how): [string, object][] => [
      ['query ($how: How!) { fail(how: $how) hero { id loose(how: $how) strict(how: $how) } }', { how }],
      ['query ($how: How!) { failStrict(how: $how) hero { id } }', { how }],
      [
        'mutation ($how: How!) { a: add(n: 1) b: add(n: 2, how: $how) c: addStrict(n: 3, how: $how) d: add(n: 4) }',
        { how },
      ],
    ]),
    ['{ things { __typename ... on Rock { weight } } beings { id } odd(value: 2) moment(at: "2026-01-01") }'],
    ['{ __proto__: a_name constructor: a_name user { sName } users { Name } }'],
    [
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Hero { id name } ... on Villain { id evil } } }',
      {
        of: [
          { __typename: 'Hero', id: '1' },
          { __typename: 'Villain', id: 'bad' },
          { __typename: 'Hero', id: 'nobody' },
        ],
      },
    ],
    ['{ _service { sdl } }'],
    [getIntrospectionQuery().replace(/\s+/g, ' ')],
    ['query ($a: Boolean!) { hero @include(if: $a) { id } a_name @skip(if: $a) }', { a: true }],
    ['query ($a: Boolean!) { hero @include(if: $a) { id } a_name @skip(if: $a) }', { a: false }],
    ['query ($a: Boolean!) { hero @include(if: $a) { id } a_name @skip(if: $a) }', {}],
    [
      'query ($point: Point, $color: Color) { echo(point: $point, color: $color) }',
      { point: { y: 'x', z: 1 }, color: 'REDD' },
    ],
    ['query A { a_name } query B { hero { id } }', {}, { operationName: 'B' }],
    ['query A { a_name } query B { hero { id } }', {}, { operationName: 'C' }],
    ['query A { a_name } query B { hero { id } }'],
    ['{ her { id } }'],
    ['{ hero { id }'],
    ['fragment F on Hero { id }'],
    [`{ ${'a_name '.repeat(20_000)} }`],
    ['{ a_name }', { more: [1] }, { extensions: { any: 1 } }],
  ];
  test.each(documents)('%s', async (query, variables = {}, more = {}) => {
    for (const _again of [1, 2]) {
      const { apollo, doorstep } = await both({ body: { query, variables, ...more } });
      expect(doorstep).toEqual(apollo);
      if (apollo.body.data) expect(calls.doorstep).toEqual(calls.apollo);
    }
  });
});

describe('what is no GraphQL over HTTP is refused alike: status, code and headers, not words', () => {
  const json = { 'content-type': 'application/json' };
  const query = '{ a_name }';
  const search = '?query=%7Ba_name%7D';
  const proof = { 'apollo-require-preflight': '1' };
  const cases: [string, Asked][] = [
    ['an empty object', { body: {} }],
    ['a list', { body: [{ query }] }],
    ['an empty list', { body: [] }],
    ['null', { body: 'null' }],
    ['no JSON', { body: '{' }],
    ['no body', { headers: json }],
    ['no query', { body: { variables: {} } }],
    ['an empty query', { body: { query: '' } }],
    ['a number for a query', { body: { query: 1 } }],
    ['an object for a query', { body: { query: { kind: 'Document' } } }],
    ['variables that are text', { body: { query, variables: '{}' } }],
    ['variables that are a list', { body: { query, variables: [] } }],
    ['variables that are null', { body: { query, variables: null } }],
    ['extensions that are text', { body: { query, extensions: 'x' } }],
    ['extensions that are null', { body: { query, extensions: null } }],
    ['a name that is a number', { body: { query, operationName: 1 } }],
    ['a name that is null', { body: { query, operationName: null } }],
    ['a name that is empty', { body: { query, operationName: '' } }],
    ['a hash of a query', { body: { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } } }],
    ['text/plain', { body: JSON.stringify({ query }), headers: { 'content-type': 'text/plain' } }],
    [
      'text/plain with a proof',
      { body: JSON.stringify({ query }), headers: { 'content-type': 'Text/Plain; charset=utf-8', ...proof } },
    ],
    ['a form', { body: 'query={a_name}', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['a GET without a proof', { method: 'GET', search }],
    ['a GET with an empty proof', { method: 'GET', search, headers: { 'apollo-require-preflight': '' } }],
    ['a GET with a proof', { method: 'GET', search, headers: proof }],
    ['a GET with the other proof', { method: 'GET', search, headers: { 'x-apollo-operation-name': 'A' } }],
    ['a GET with a content type', { method: 'GET', search, headers: json }],
    [
      'a GET with another content type',
      { method: 'GET', search, headers: { 'content-type': 'application/xml' } },
    ],
    [
      'a GET with variables',
      {
        method: 'GET',
        search: `?query=query(%24h:How!)%7Bfail(how:%24h)%7D&variables=%7B%22h%22:%22CODE%22%7D`,
        headers: proof,
      },
    ],
    [
      'a GET with a name',
      {
        method: 'GET',
        search: '?query=query%20A%7Ba_name%7Dquery%20B%7B__typename%7D&operationName=B',
        headers: proof,
      },
    ],
    [
      'a GET with variables that are no JSON',
      { method: 'GET', search: `${search}&variables=%7B`, headers: proof },
    ],
    [
      'a GET with variables that are null',
      { method: 'GET', search: `${search}&variables=null`, headers: proof },
    ],
    ['a GET with two queries', { method: 'GET', search: `${search}&query=x`, headers: proof }],
    ['a GET without a query', { method: 'GET', headers: proof }],
    ['a GET of a mutation', { method: 'GET', search: '?query=mutation%7Badd(n:1)%7D', headers: proof }],
    ['a GET of a subscription', { method: 'GET', search: '?query=subscription%7Bticks%7D', headers: proof }],
    ['a GET that is wrong', { method: 'GET', search: '?query=%7B', headers: proof }],
    ['a HEAD', { method: 'HEAD', search, headers: proof }],
    ['a PUT', { method: 'PUT', body: { query } }],
    ['a wrong token', { body: { query }, headers: { authorization: 'Bearer a.b.c' } }],
    ['a wrong token and no query', { body: {}, headers: { authorization: 'Basic x' } }],
    ...[
      '*/*',
      'application/json',
      'application/*;q=0.5',
      'application/graphql-response+json',
      'application/graphql-response+json, application/json;q=0.9',
      'application/json;charset=utf-8, application/graphql-response+json',
      'text/html',
      'text/html, */*;q=0.1',
      'application/json;q=0',
    ].map((accept): [string, Asked] => [`accept: ${accept}`, { body: { query }, headers: { accept } }]),
    [
      'a wrong query for who accepts nothing of ours',
      { body: { query: '{' }, headers: { accept: 'text/html' } },
    ],
  ];
  test.each(cases)('%s', async (_name, asked) => {
    const { apollo, doorstep } = await both(asked);
    const seen = ({ status, headers: { type, allow }, body }: Answered) => ({
      ...{ status, type, allow, data: body.data },
      codes: body.errors?.map(({ extensions }) => extensions.code),
    });
    expect(seen(doorstep)).toEqual(seen(apollo));
  });

  test('a subscription, which no executor is asked for', async () => {
    for (const { status, body } of Object.values(await both({ body: { query: 'subscription { ticks }' } })))
      expect([status, body]).toMatchObject([
        400,
        { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
      ]);
  });

  test('a token that has been verified is recalled, and still tells whose it is', async () => {
    const statuses: [Role, number][] = [
      ['ADMIN', 200],
      ['CUSTOMER', 500],
      ['COURIER', 403],
      ['DISPATCHER', 500],
    ];
    for (const [role, status] of statuses) {
      const headers = { authorization: await authorization(role) };
      for (const _again of [1, 2]) {
        const { apollo, doorstep } = await both({ body: { query }, headers });
        expect({ ...doorstep, headers: {} }).toEqual({ ...apollo, headers: {} });
        expect(doorstep.status).toBe(status);
      }
    }
  });
});
