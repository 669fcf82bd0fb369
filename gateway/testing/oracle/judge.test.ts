import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { loadSupergraph } from '../../supergraph.js';
import { bazaarSupergraph } from '../bazaar/supergraph.js';
import type { Answer } from '../gateway.js';
import type { Question } from './duel.js';
import { judge } from './judge.js';

const schema = buildSchema('type Query { thing: Thing } type Thing { name: String }');

test('an object with a field toString is judged as any other', async () => {
  const answer = (thing: unknown) => ({ status: 200, body: { data: { thing } } });
  const answers = { ours: answer(null), oracle: answer({ toString: 7 }) };
  const question = { query: '{ thing { toString: name } }' };
  const verdict = await judge(schema, question, answers, () => Promise.resolve(answers.oracle));
  expect(verdict).toMatchObject({ isExplained: false });
});

const { clientSchema } = loadSupergraph(bazaarSupergraph());

/** Whether two answers to a question about the bazaar are alike, or differ as is known. */
async function isExplained(question: Question, ours: Answer, oracle: Answer): Promise<boolean> {
  const verdict = await judge(clientSchema, question, { ours, oracle }, () => Promise.resolve(oracle));
  return verdict === 'equal' || verdict.isExplained;
}

const answer = (data: Record<string, unknown>): Answer => ({ status: 200, body: { data } });

test.each([
  ['that differ', 'Book.postage', 'Book.freight', '{ book(isbn: "1") { postage freight } }', true],
  [
    'of which one is a default',
    'Product.shipping',
    'Book.freight',
    '{ book(isbn: "1") { shipping freight } }',
    true,
  ],
  [
    'that are the same by default',
    'Product.shipping',
    'Book.postage',
    '{ book(isbn: "1") { shipping postage } }',
    false,
  ],
  [
    'of fields that nobody asks for',
    'Book.postage',
    'Book.freight',
    '{ book(isbn: "1") { postage } }',
    false,
  ],
])('the refusal of required arguments %s is right, or not', async (_, a, b, query, isRight) => {
  const message = `${a} and ${b} need Book.weight with different arguments: ask for them in two operations.`;
  const ours = { status: 400, body: { errors: [{ message }] } };
  expect(await isExplained({ query }, ours, answer({ book: null }))).toBe(isRight);
});

test.each<[string, string, Record<string, unknown>, boolean]>([
  ['user', '{ user(id: "1") { name } }', { user: { name: 'Ann' } }, true],
  [
    'user under an alias',
    '{ ...Q } fragment Q on Query { me: user(id: "1") { name } }',
    { me: { name: 'Ann' } },
    true,
  ],
  ['another field beside it', '{ user(id: "1") { name } now }', { user: null, now: 'wrong' }, false],
  [
    'another by its name',
    '{ user: now user2: user(id: "1") { name } }',
    { user: 'wrong', user2: null },
    false,
  ],
])(
  'null in place of what one of two subgraphs knows is its own field: %s',
  async (_, query, data, isRight) => {
    const oracle = answer(Object.fromEntries(Object.keys(data).map((name) => [name, null])));
    expect(await isExplained({ query }, answer(data), oracle)).toBe(isRight);
  },
);

const left = { email: 'u1@x.org', reviews: [] };

test.each<[string, string, boolean | undefined, Record<string, unknown>, boolean]>([
  ['by its own condition', 'karma @skip(if: $v)', true, left, true],
  ['by a default', 'karma @skip(if: $v)', undefined, left, true],
  ['for good', '... @skip(if: $v) { age } karma @skip(if: true)', true, left, true],
  ['by a fragment', '... @include(if: $v) { karma }', false, left, true],
  ['by a fragment around another', '... @skip(if: $v) { ... on User { karma } }', true, left, true],
  ['by the spread of a fragment', '...K @skip(if: $v)', true, left, true],
  ['or is there', 'karma @skip(if: $v)', false, { ...left, karma: 1 }, false],
  ['or is there by a fragment', '...K @include(if: $v)', true, { ...left, karma: 1 }, false],
])('a field that is left out costs nothing else: %s', async (_, selection, v, user, isRight) => {
  const fragment = selection.startsWith('...K') ? 'fragment K on User { karma }' : '';
  const query = `query ($v: Boolean = true) { users { email reviews { id } ${selection} } } ${fragment}`;
  const question = { query, variables: v === undefined ? {} : { v } };
  const [known, lost] = [answer({ users: [user] }), answer({ users: [null] })];
  // An oracle that loses all of a user as soon as karma is mentioned, and is right where it is not.
  const askOracle = (asked: Question) => Promise.resolve(asked.query.includes('karma') ? lost : known);
  const verdict = await judge(clientSchema, question, { ours: known, oracle: lost }, askOracle);
  expect(verdict).toMatchObject({ isExplained: isRight });
});

test('where all is left out, nothing is', async () => {
  const query = '{ users { karma @skip(if: true) } user(id: "1") @include(if: false) { id } }';
  const known = answer({ users: [{}] });
  const asked: string[] = [];
  const oracle = answer({ users: null });
  await judge(clientSchema, { query }, { ours: known, oracle }, (question) => {
    asked.push(question.query.replace(/\s+/g, ' '));
    return Promise.resolve(oracle);
  });
  expect(asked).toContain('{ q__users: users { __typename } }');
});

test('an error of a null that may not be is right where both have the null, and explains no other', async () => {
  const query = '{ users { email reviews { id } } }';
  const error = (path: (string | number)[]) => ({
    ...{ path, message: 'A service answered with something else than its schema says' },
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
  const told = (data: Record<string, unknown>, ...path: (string | number)[]) => ({
    status: 200,
    body: { data, errors: [error(path)] },
  });
  const [lost, there] = [{ users: [null] }, { users: [{ email: null, reviews: [] }] }];
  expect(await isExplained({ query }, told(lost, 'users', 0, 'reviews'), answer(lost))).toBe(true);
  expect(await isExplained({ query }, told(lost, 'users', 0, 'reviews'), answer(there))).toBe(false);
  expect(await isExplained({ query }, told(there, 'users', 0, 'email'), answer(there))).toBe(false);
});

test('where a condition is null there is no answer', async () => {
  const query = 'query ($v: Boolean = true) { users { email @skip(if: $v) } }';
  const users = (status: number) => ({ ...answer({ users: [{}] }), status });
  const ask = (question: Question) => isExplained(question, users(200), users(500));
  expect(await ask({ query, variables: { v: null } })).toBe(false);
  expect(await ask({ query, variables: {} })).toBe(true);
});

test.each<[string, Record<string, unknown>[], Answer['body']['errors'], boolean]>([
  ['of whose type a fetch told that Apollo gave up', [{ code: 'INTERNAL_SERVER_ERROR' }], undefined, true],
  ['which Apollo has, and gave nothing up', [], undefined, false],
  [
    'for an error',
    [{ code: 'INTERNAL_SERVER_ERROR' }],
    [{ message: 'No', path: ['users', 0, 'karma'] }],
    false,
  ],
])('null may be a hidden object %s', async (_, lost, errors, isRight) => {
  const question: Question = { query: '{ users { karma } }', faults: { kind: 'fields', seed: '1' } };
  const ours = { status: 200, body: { data: { users: [null] }, ...(errors && { errors }) } };
  const oracle = {
    status: 200,
    body: {
      data: { users: [{ karma: 1 }] },
      errors: lost.map((extensions) => ({ message: 'Oh', extensions })),
    },
  };
  expect(await isExplained(question, ours, oracle)).toBe(isRight);
});

test.each([
  ['each is right in one way or another', [{ email: 'u1@x.org' }], true],
  ['one of them is right in no way', null, false],
])('root fields do not depend on each other: %s', async (_, b, isRight) => {
  const question = { query: '{ a: users { email karma @skip(if: true) } b: users { email } }' };
  const right = [{ email: 'u1@x.org' }];
  const verdict = await judge(
    clientSchema,
    question,
    { ours: answer({ a: right, b: right }), oracle: answer({ a: null, b: null }) },
    ({ query }) =>
      Promise.resolve(answer(query.includes('q__a') ? { q__a: right, q__b: null } : { a: null, b })),
  );
  expect(verdict).toMatchObject({ isExplained: isRight });
});

test.each([
  [{ message: 'Oh', extensions: { code: 'INTERNAL_SERVER_ERROR' } }, true],
  [{ message: 'No', extensions: { code: 'OUT_OF_ORDER' } }, false],
])('what Apollo cannot plan has an answer of ours, be there faults or not: %j', async (error, isRight) => {
  const question: Question = { query: '{ users { email } }', faults: { kind: 'outage', seed: '1' } };
  const oracle = { status: 500, body: { errors: [error] } };
  const ours = { status: 200, body: { data: { users: null }, errors: [error] } };
  expect(await isExplained(question, ours, oracle)).toBe(isRight);
});

test.each<[string, Question['faults'], string, boolean]>([
  ['with a fault of it', { kind: 'fields', seed: '1' }, 'boxes', true],
  ['without faults', undefined, 'boxes', false],
  ['a field that requires a whole value', { kind: 'fields', seed: '1' }, 'shipping', false],
])('null in place of what was made of half a value is right %s', async (_, faults, field, isRight) => {
  const question: Question = { query: `{ stocked { one: ${field} } }`, ...(faults && { faults }) };
  const [ours, oracle] = [null, 7].map((one) => answer({ stocked: [{ one }] })) as [Answer, Answer];
  expect(await isExplained(question, ours, oracle)).toBe(isRight);
});

test.each([
  ['that nobody asked for', 1, true],
  ['that was asked for', 0, false],
])('an error of a field %s is none', async (_, index, isRight) => {
  const data = { stocked: [{ stock: 1 }, {}] };
  const errors = [{ message: 'No', path: ['stocked', index, 'stock'], extensions: { code: 'NO' } }];
  const question = { query: '{ stocked { ... on Book { stock } } }' };
  const oracle = { status: 200, body: { data, errors } };
  expect(await isExplained(question, answer(data), oracle)).toBe(isRight);
});

test.each<[string, Question['faults'], object[], boolean]>([
  ['beside what it cannot have', { kind: 'fields', seed: '1' }, [{ boxes: null, stock: 1 }], true],
  ['without faults', undefined, [{ boxes: null, stock: 1 }], false],
  ['beside what it has', { kind: 'fields', seed: '1' }, [{ boxes: 1, stock: 1 }], false],
  [
    'of another object',
    { kind: 'fields', seed: '1' },
    [
      { boxes: 1, stock: 1 },
      { boxes: null, stock: 1 },
    ],
    false,
  ],
])('an object may have more than with Apollo: %s', async (_, faults, stocked, isRight) => {
  const question: Question = { query: '{ stocked { boxes stock } }', ...(faults && { faults }) };
  const oracle = answer({ stocked: [null, ...stocked.slice(1)] });
  expect(await isExplained(question, answer({ stocked }), oracle)).toBe(isRight);
});

test.each([
  ['at such an object', ['stocked', 0, 'shelf'], { boxes: null, shelf: null }, true],
  ['of the whole fetch', ['stocked'], { boxes: null, shelf: null }, true],
  ['at another object', ['stocked', 1, 'shelf'], { boxes: null, shelf: null }, false],
  ['where it lacks nothing', ['stocked', 0, 'shelf'], { boxes: 1, shelf: null }, false],
])('an object of which more is asked than by Apollo may have errors: %s', async (_, path, one, isRight) => {
  const data = { stocked: [one, { boxes: 1, shelf: null }] };
  const errors = [{ message: 'No', path, extensions: { code: 'NO' } }];
  const question: Question = {
    query: '{ stocked { boxes shelf { row } } }',
    faults: { kind: 'fields', seed: '1' },
  };
  expect(await isExplained(question, { status: 200, body: { data, errors } }, answer(data))).toBe(isRight);
});

test.each([
  ['beside what it lacks', '{ stocked { boxes stock } }', { boxes: null, stock: 1 }, true],
  ['where it is lost with what it lacks', '{ stocked { boxes stock } }', null, true],
  ['where nothing else is wanted of it', '{ stocked { boxes } }', { boxes: null }, false],
])('a fetch that Apollo does not make may fail for an object: %s', async (_, query, one, isRight) => {
  const errors = [{ message: 'No', extensions: { code: 'NO' } }];
  const question: Question = { query, faults: { kind: 'outage', seed: '1' } };
  const data = { stocked: [one] };
  expect(await isExplained(question, { status: 200, body: { data, errors } }, answer(data))).toBe(isRight);
});

test.each<[string, string, object | null, (question: Question) => unknown]>([
  [
    'hidden, and there as long as nobody tells',
    'stock ... @include(if: $v) { boxes }',
    null,
    (one) => one.asksTypes,
  ],
  [
    'one that Apollo forgets',
    'stock ... on Book { best { id } }',
    { stock: 1, best: null },
    (one) => one.hidesInterfaceNames === 'within',
  ],
])('the type of an object may be %s', async (_what, selection, object, isAsked) => {
  const question = { query: `query ($v: Boolean = false) { stocked { ${selection} } }` };
  const [ours, oracle] = [answer({ stocked: [object] }), answer({ stocked: [{ stock: 1 }] })];
  const verdict = (otherwise: Answer) =>
    judge(clientSchema, question, { ours, oracle }, async (one) => (isAsked(one) ? otherwise : oracle));
  expect(await verdict(ours)).toMatchObject({ isExplained: true });
  expect(await verdict(oracle)).toMatchObject({ isExplained: false });
});

test.each<[string, Question['faults'], unknown[], boolean]>([
  ['of one null', { kind: 'fields', seed: '1' }, ['users', 0, 'email'], true],
  ['without faults', undefined, ['users', 0, 'email'], false],
  ['of another null', { kind: 'fields', seed: '1' }, ['users', 1, 'email'], false],
  ['that costs nothing else', { kind: 'fields', seed: '1' }, ['users', 2, 'karma'], false],
])('errors of several fields may be the reason for a null: %s', async (_, faults, path, isRight) => {
  const data = { users: [null, null, { email: 'u1@x.org', region: 'x', karma: null }] };
  const question: Question = { query: '{ users { email region karma } }', ...(faults && { faults }) };
  const failed = (at: unknown[]) => ({
    status: 200,
    body: { data, errors: [{ message: `No ${at}`, path: at as string[], extensions: { code: 'NO' } }] },
  });
  expect(await isExplained(question, failed(['users', 0, 'region']), failed(path))).toBe(isRight);
});
