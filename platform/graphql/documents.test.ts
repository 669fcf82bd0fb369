import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { buildSchema, OperationTypeNode } from 'graphql';
import { beforeEach, expect, test } from 'vitest';
import { metrics } from '../metrics.js';
import { createDocuments, type Documents, documentLimits, type Operation } from './documents.js';

const schema = buildSchema('type Query { a(n: Int, text: String): Int  b: Query } type Mutation { a: Int }');
let service = 0;
let documents: Documents;

beforeEach(() => {
  service += 1;
  documents = createDocuments({ service: `documents ${service}`, schema });
});

function operation(query: string, name?: string): Operation {
  const found = documents.find(query, name);
  if ('execute' in found) return found;
  throw found[0];
}

async function outcomes(): Promise<Record<string, number>> {
  const { values } = await metrics.documents.get();
  const own = values.filter(({ labels }) => labels.service === `documents ${service}`);
  return Object.fromEntries(own.map(({ labels, value }) => [labels.outcome, value]));
}

test('a document is read once, and each of its operations compiled once', async () => {
  const query = 'query A { a } query B { b { a } } mutation C { a }';
  const [a, b, c] = ['A', 'B', 'C'].map((name) => operation(query, name));
  expect(operation(query, 'A')).toBe(a);
  expect([a?.type, b?.type, c?.type]).toEqual([
    OperationTypeNode.QUERY,
    OperationTypeNode.QUERY,
    OperationTypeNode.MUTATION,
  ]);
  expect(await b?.execute({ contextValue: null, variables: {} })).toEqual({ data: { b: null } });
  expect(documents.size).toBe(1);
  expect(await outcomes()).toEqual({ hit: 3, miss: 1 });
});

test('a name that is not there is refused by graphql, with a code', async () => {
  const query = 'query A { a } query B { a }';
  for (const [name, message] of [
    ['C', 'Unknown operation named "C".'],
    [undefined, 'Must provide operation name if query contains multiple operations.'],
  ]) {
    const found = operation(query, name);
    expect(found.type).toBeUndefined();
    expect(await found.execute({ contextValue: null, variables: {} })).toEqual({
      errors: [expect.objectContaining({ message, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })],
    });
  }
});

test.each([
  ['{', 'GRAPHQL_PARSE_FAILED'],
  [`{ ${'a '.repeat(15_000)} }`, 'GRAPHQL_PARSE_FAILED'],
  ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ['subscription { a }', 'GRAPHQL_VALIDATION_FAILED'],
])('what is wrong is told with its code, and not kept', async (query, code) => {
  expect(documents.find(query, undefined)).toEqual([expect.objectContaining({ extensions: { code } })]);
  expect(documents.size).toBe(0);
  expect(await outcomes()).toEqual({ hit: 0, miss: 1 });
});

test('a document that is very long is answered, and not kept', async () => {
  const query = `{ a(text: "${'x'.repeat(documentLimits.charactersOfOne)}") }`;
  expect(await operation(query).execute({ contextValue: null, variables: {} })).toEqual({
    data: { a: null },
  });
  expect(documents.size).toBe(0);
});

test('long documents are kept up to so many characters', () => {
  const length = documentLimits.charactersOfOne - 100;
  for (let n = 0; n < 50; n++) operation(`{ a(n: ${n}, text: "${'x'.repeat(length)}") }`);
  expect(documents.size).toBe(Math.floor(documentLimits.characters / (length + 23)));
});

test('however many documents come, the heap stays as it is', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  let sent = 0;
  async function send(count: number): Promise<void> {
    for (const last = sent + count; sent < last; sent++) {
      const fields = Array.from({ length: 10 }, (_, at) => `f${at}: a(n: ${sent}) @include(if: $yes)`);
      const query = `query ($yes: Boolean!) { ${fields.join(' ')} b { b { a } } }`;
      for (const yes of [true, false])
        await operation(query).execute({ contextValue: null, variables: { yes } });
    }
  }
  await send(documentLimits.documents);
  const full = heap();
  await send(3_000);
  // Kept, these would be ten times as much and more.
  expect(heap() - full).toBeLessThan(5);
  expect(documents.size).toBeLessThanOrEqual(documentLimits.documents);
  const { values } = await metrics.documentsKept.get();
  expect(values.find(({ labels }) => labels.service === `documents ${service}`)?.value).toBe(documents.size);
});
