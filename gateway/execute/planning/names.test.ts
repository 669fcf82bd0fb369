import { parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateway } from '../../index.js';
import { post, startTestGateway } from '../../testing/gateway.js';
import { librarySupergraph } from '../../testing/library.js';
import { renameFields } from './names.js';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startTestGateway({ supergraph: librarySupergraph() });
});
afterAll(() => gateway.stop());

// `id` is a key, whose name other fields of entities may not take in a plan.
test.each([
  ['in place', '{ __type(name: "Book") { id: name } }'],
  ['in a fragment', '{ __type(name: "Book") { ...T } } fragment T on __Type { id: name }'],
  ['in a fragment of the root', '{ ...Q } fragment Q on Query { __type(name: "Book") { ... { id: name } } }'],
])('introspection is answered under the names that clients chose: %s', async (_where, query) => {
  const { body } = await post(gateway, query);
  expect(body).toEqual({ data: { __type: { id: 'Book' } } });
});

test('what stands beside introspection is renamed all the same', async () => {
  const { body } = await post(gateway, '{ id: __type(name: "Book") { id: name } __typename: __typename }');
  expect(body).toEqual({ data: { id: { id: 'Book' }, __typename: 'Query' } });
});

test('fields that merge get one name, in whatever order fields of their arguments stand', () => {
  const document = parse(
    '{ id: f(of: { a: 1, b: { c: 2, d: 3 } }) { x } id: f(of: { b: { d: 3, c: 2 }, a: 1 }) { y } }',
  );
  const { clientNames } = renameFields(document, {
    names: new Set(['id']),
    withArguments: new Set(['f']),
  });
  expect([...clientNames]).toEqual([['_r0', 'id']]);
});
