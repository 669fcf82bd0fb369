import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '../index.js';
import { get, postText, startTestGateway } from '../testing/gateway.js';
import { type Library, librarySupergraph, startLibrary } from '../testing/library.js';

let library: Library;
let gateway: Gateway;
beforeAll(async () => {
  library = await startLibrary();
  gateway = await startTestGateway({ supergraph: librarySupergraph(), subgraphUrls: library.urls });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([library.books.stop(), library.authors.stop()]);
});

const refusedWith = (field: string) => ({
  status: 400,
  body: { errors: [{ message: expect.any(String), extensions: { code: 'BAD_USER_INPUT', field } }] },
});
const query = '{ book(id: "1") { title } }';
const kim = { status: 200, body: { data: { book: { title: 'Kim' } } } };

describe('a body', () => {
  test.each([
    ['nothing', '', 'body'],
    ['no JSON', '{"query":', 'body'],
    ['text', '"{ __typename }"', 'body'],
    ['null', 'null', 'body'],
    ['a batch', `[{"query":"{ __typename }"},{"query":"{ __typename }"}]`, 'body'],
    ['a batch of none', '[]', 'body'],
    ['no query', '{}', 'query'],
    ['a query of null', '{"query":null}', 'query'],
    ['an empty query', '{"query":""}', 'query'],
    ['a query that is a number', '{"query":7}', 'query'],
    ['a query that is a list', '{"query":["{ __typename }"]}', 'query'],
    ['an operationName that is an object', '{"query":"{ __typename }","operationName":{}}', 'operationName'],
    ['variables that are text', '{"query":"{ __typename }","variables":"{}"}', 'variables'],
    ['variables that are a list', '{"query":"{ __typename }","variables":[]}', 'variables'],
    ['extensions that are a number', '{"query":"{ __typename }","extensions":0}', 'extensions'],
    ['extensions that are a list', '{"query":"{ __typename }","extensions":[]}', 'extensions'],
  ])('of %s is refused', async (_name, body, field) => {
    expect(await postText(gateway, body)).toEqual(refusedWith(field));
  });

  test('may have null for everything but the query, and members that nobody knows', async () => {
    const body = { query, variables: null, operationName: null, extensions: null, id: 7 };
    expect(await postText(gateway, JSON.stringify(body))).toEqual(kim);
  });

  test('names the operation that is run', async () => {
    const both = 'query A { a: __typename } query B { b: __typename }';
    const run = (operationName?: string) =>
      postText(gateway, JSON.stringify({ query: both, operationName, variables: {} }));
    expect((await run('B')).body).toEqual({ data: { b: 'Query' } });
    expect((await run('C')).status).toBe(400);
    expect((await run()).status).toBe(400);
  });

  test('names no operation by the lines of a document that was run before', async () => {
    const [first, second] = ['query A { a: __typename }', 'query B { b: __typename }'];
    const run = (operationName: string, text: string) =>
      postText(gateway, JSON.stringify({ query: text, operationName }));
    expect((await run('A', `${first}\n${second}`)).body).toEqual({ data: { a: 'Query' } });
    expect((await run(`A\n${first}`, second)).status).toBe(400);
  });
});

describe('an address', () => {
  test('holds everything that a body can', async () => {
    const parameters = {
      query: 'query A { __typename } query B($id: ID!) { book(id: $id) { title } }',
      operationName: 'B',
      variables: '{"id":"1"}',
      extensions: '{"a":1}',
    };
    expect(await get(gateway, parameters)).toEqual(kim);
  });

  test.each(['query', 'operationName', 'variables', 'extensions'])(
    'in which %s stands twice is refused: readers of it would differ in which counts',
    async (name) => {
      const value = { query, operationName: '', variables: '{}', extensions: '{}' }[name] ?? '';
      const rest: [string, string][] = name === 'query' ? [] : [['query', query]];
      expect(await get(gateway, [...rest, [name, value], [name, value]])).toEqual(refusedWith(name));
    },
  );

  test.each([
    ['no query', {}, 'query'],
    ['variables that are no JSON', { query, variables: '{id:1}' }, 'variables'],
    ['variables that are a list', { query, variables: '[]' }, 'variables'],
    ['extensions that are text', { query, extensions: '"a"' }, 'extensions'],
  ])('with %s is refused', async (_name, parameters, field) => {
    expect(await get(gateway, parameters as Record<string, string>)).toEqual(refusedWith(field));
  });

  test('may leave empty what is not needed', async () => {
    const empty = { query, variables: '', extensions: '', operationName: '' };
    expect(await get(gateway, empty)).toEqual(kim);
    expect(await get(gateway, { query, variables: 'null' })).toEqual(kim);
  });
});

describe('variables of names that every object has', () => {
  test('change nothing for others', async () => {
    const body = `{"query":"{ __typename }","variables":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}},"__proto__":{"query":"x"},"extensions":{"__proto__":{"queryPlan":true}}}`;
    expect(await postText(gateway, body)).toEqual({ status: 200, body: { data: { __typename: 'Query' } } });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each(['constructor', 'toString', 'hasOwnProperty'])(
    '$%s is a variable like any other',
    async (name) => {
      const named = `query ($${name}: ID!) { book(id: $${name}) { title } }`;
      const given = `{"query":${JSON.stringify(named)},"variables":{"${name}":"1"}}`;
      expect(await postText(gateway, given)).toEqual(kim);
      const missing = await postText(gateway, JSON.stringify({ query: named }));
      expect([missing.status, missing.body.errors?.[0]?.extensions?.['code']]).toEqual([
        400,
        'BAD_USER_INPUT',
      ]);
    },
  );
});
