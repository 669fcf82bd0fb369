import { buildSchema, type ExecutionResult, execute, getOperationAST, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { watchRejections } from '../../testing/rejections.js';
import { richContext, richSchema } from '../../testing/rich-schema.js';
import { compileOperation } from './operation.js';

const schema = richSchema();
const watched = watchRejections();

/** An answer as a client would read it, in the order of its keys; which resolvers were called; and what nobody heard of. */
async function trace(
  run: (context: ReturnType<typeof richContext>) => PromiseLike<ExecutionResult> | ExecutionResult,
) {
  const context = richContext();
  const { value: answer, unheard } = await watched(async () => run(context));
  return {
    unheard,
    answer: JSON.stringify(answer),
    calls: context.calls,
    errors: answer.errors?.map(({ message, locations, path, extensions, originalError }) => ({
      message,
      locations,
      path,
      extensions,
      originalError: String(originalError),
    })),
  };
}

/** Executes a document by graphql and by us, twice, each time with other variables. */
async function same(query: string, ...given: Record<string, unknown>[]): Promise<void> {
  const document = parse(query);
  const invalid = validate(schema, document);
  if (invalid.length > 0) throw invalid[0];
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  const executeCompiled = compileOperation(schema, document, operation);
  for (const variables of given.length > 0 ? given : [{}]) {
    for (const _again of [1, 2]) {
      const wanted = await trace((contextValue) =>
        execute({ schema, document, contextValue, variableValues: variables }),
      );
      const compiled = await trace((contextValue) => executeCompiled({ contextValue, variables }));
      expect(compiled).toEqual({ ...wanted, unheard: 0 });
    }
  }
}

const hows = ['THROW', 'REJECT', 'ERROR', 'TEXT', 'CODE', 'NULL', 'UNDEFINED', 'WRONG', 'LATE', 'FINE'];
const ways = hows.map((how) => ({ how }));

describe('the answer is that of graphql, and so are the calls of resolvers, in their order', () => {
  const documents: [string, string, ...Record<string, unknown>[]][] = [
    ['properties', '{ hero { id name color missing } }'],
    ['methods, getters and promises as properties', '{ heroes { method(suffix: "x") getter promised } }'],
    ['a promise of null where none may be', '{ heroes(n: 2) { id promisedStrict } hero { promisedStrict } }'],
    ['nested lists of objects', '{ heroes { friends(n: 2) { id friends(n: 1) { id self { name } } } } }'],
    ['items that are null, late, lost or errors', '{ maybes { id } }'],
    ['lists of lists', 'query ($how: How) { matrix(how: $how) }', ...ways],
    ['strict lists of lists', 'query ($how: How) { strictMatrix(how: $how) hero { id } }', ...ways],
    ['other things to go through', '{ set generated notList }'],
    ['a field in each way', 'query ($how: How!) { fail(how: $how) hero { id } }', ...ways],
    [
      'a strict field in each way',
      'query ($how: How!) { hero { id } failStrict(how: $how) a { id } }',
      ...ways,
    ],
    ['a number in each way', 'query ($how: How) { int(how: $how) }', {}, ...ways],
    [
      'nulls that rise',
      'query ($how: How) { heroes(n: 1) { friends(n: 2) { self { strict(how: $how) } } nullable { strict(how: $how) loose(how: $how) } } }',
      ...ways,
    ],
    [
      'nulls that rise to the top',
      'query ($how: How) { mustHero { id loose(how: $how) strict(how: $how) self { id } } b: mustHero(how: $how) { id } }',
      ...ways,
    ],
    [
      'siblings that fail at once',
      '{ a { one: strict(how: REJECT) two: strict(how: REJECT) three: loose(how: REJECT) } hero { loose(how: THROW) strict(how: REJECT) } }',
    ],
    [
      'siblings after one that throws',
      '{ a { late: self { loose(how: REJECT) } strict(how: THROW) loose } hero { id } }',
    ],
    [
      'an interface',
      '{ beings { __typename id name ... on Hero { color friends { id } } ... on Villain { evil friend { id name ... on Villain { evil } } } } }',
    ],
    [
      'what is no type of an interface',
      'query ($kind: String) { being(kind: $kind) { id name } }',
      ...['hero', 'villain', 'rock', 'union', 'unknown', 'throw', 'number', 'soon', undefined].map(
        (kind) => ({ kind }),
      ),
    ],
    ['a union', '{ things { __typename ... on Hero { name } ... on Rock { id weight } } }'],
    [
      'a union by isTypeOf',
      'query ($kind: String) { late(kind: $kind) { ... on Picky { a } __typename } }',
      { kind: 'picky' },
      {},
    ],
    [
      'isTypeOf',
      'query ($is: String) { picky(is: $is) { a } }',
      ...['yes', 'no', 'soon no', 'throw'].map((is) => ({ is })),
    ],
    ['enums out', 'query ($as: String!) { color(as: $as) }', { as: 'G' }, { as: 'GREEN' }],
    [
      'scalars that give nothing or fail',
      'query ($n: Int) { odd(value: $n) moment hero { height(unit: 1) } b: hero { height } }',
      { n: 1 },
      { n: 2 },
      {},
    ],
    [
      'fragments',
      'query { hero { ...One ...Two ... on Being { name } ... { color } } } fragment One on Hero { id ...Two } fragment Two on Being { friend { id } friend { name } }',
    ],
    [
      'one field asked for twice',
      '{ hero { self { id } self { name } ... on Hero { self { color self { id } } } } hero { id } }',
    ],
    [
      'response keys of any name',
      '{ __proto__: hero { constructor __proto__: id toString: name hasOwnProperty: color then: id } constructor: a_name then: hero { then: name } }',
    ],
    ['names that look alike when put together', '{ user { sName } users { Name } a { name } a_name }'],
    ['names of types', '{ __typename hero { __typename } }'],
    [
      'introspection',
      '{ __schema { queryType { name } types { name kind fields(includeDeprecated: true) { name args { name defaultValue type { name ofType { name } } } } } directives { name } } __type(name: "Point") { inputFields { name defaultValue } } }',
    ],
    [
      'entities',
      'query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Hero { id name loaded(id: "x") { id } self { loaded(id: "y") { name } } } ... on Villain { id evil } ... on Rock { id } } }',
      {
        of: [
          { __typename: 'Hero', id: '1' },
          { __typename: 'Villain', id: 'v' },
          { __typename: 'Hero', id: 'nobody' },
          { __typename: 'Villain', id: 'bad' },
          { __typename: 'Rock', id: 'r', weight: 'x' },
          { __typename: 'Hero', id: '2' },
        ],
      },
      { of: [] },
      { of: [{ __typename: 'Nothing' }] },
      { of: [{ __typename: 'Query' }] },
    ],
    ['the service', '{ _service { sdl } }'],
    [
      'what is loaded in one batch',
      '{ heroes { loaded(id: "1") { id loaded(id: "2") { id } } } a { loaded(id: "3") { id } self { loaded(id: "4") { id } } } }',
    ],
    [
      'mutations one after the other',
      'mutation ($how: How) { a: add(n: 1) b: add(n: 2, how: $how) hero { loose friends { id } } c: add(n: 3) }',
      ...ways,
    ],
    [
      'strict mutations',
      'mutation ($how: How) { a: add(n: 1) b: addStrict(n: 2, how: $how) c: add(n: 3) }',
      ...ways,
    ],
    ['synchronous mutations', 'mutation { a: addStrict(n: 1) b: addStrict(n: 2) }'],
  ];
  test.each(documents)('%s', async (_name, query, ...variables) => {
    await same(query, ...variables);
  });
});

describe('arguments', () => {
  const all =
    'int: $int, float: $float, text: $text, flag: $flag, id: $id, color: $color, at: $at, odd: $odd, point: $point, points: $points, matrix: $matrix';
  const head =
    'query ($int: Int, $float: Float, $text: String = "v", $flag: Boolean, $id: ID, $color: Color = RED, $at: Moment, $odd: Odd, $point: Point, $points: [Point!], $matrix: [[Int!]])';
  const given: Record<string, unknown>[] = [
    {},
    {
      int: 1,
      float: 1,
      text: 'a',
      flag: true,
      id: 7,
      color: 'GREEN',
      at: '2026-01-01',
      odd: { a: 1 },
      point: { y: 1 },
      points: { y: 2 },
      matrix: 3,
    },
    {
      int: null,
      text: null,
      point: { y: 1, x: null, next: { y: 2, color: 'RED' } },
      points: [{ y: 1 }, { y: 2, at: '2026-01-01' }],
      matrix: [[1], null, 2],
    },
    { int: 1.5 },
    { int: 2 ** 31 },
    { int: '1' },
    { float: 'x', text: 1, flag: 'x', id: {}, color: 'PINK' },
    { color: 'G' },
    { at: 'never' },
    { point: { x: 1 } },
    { point: { y: 1, z: 1 } },
    { point: 1 },
    { points: [{ y: 'x' }, null] },
    { matrix: [['x']] },
    { unknown: 1 },
    { points: Array.from({ length: 80 }, () => ({})) },
    JSON.parse('{"point":{"y":1,"__proto__":{"x":2}},"__proto__":{"int":3}}'),
  ];
  test('by variables', () => same(`${head} { echo(${all}) }`, ...given));
  test.each([
    '{ echo }',
    '{ echo(int: null, text: "a", ids: ["a", 1]) }',
    '{ echo(point: {y: 1, next: {y: 2, x: null}}, points: {y: 3}, matrix: [1, [2]]) }',
    '{ echo(at: "2026-01-01", odd: {a: [1, "b"]}, color: RED, float: 1, id: 3) }',
    '{ moment(at: 5) a: moment(at: "2026-01-01") }',
  ])('by literals: %s', (query) => same(query));
  test('by literals with variables in them', () =>
    same(
      'query ($y: Int!, $x: Int, $id: ID = "i") { echo(point: {y: $y, x: $x, next: {y: $y}}, points: [{y: $y}, {y: 1, x: $x}], ids: [$id, "b"]) heroes { friends(n: $y) { id } } }',
      { y: 1 },
      { y: 2, x: 3, id: 'j' },
      { y: 1, x: null },
      {},
    ));
  test('that are required and not there', () =>
    same(
      'query ($how: How = FINE) { fail(how: $how) hero { loose(how: $how) strict(how: $how) } }',
      {},
      { how: null },
      { how: 'FINE' },
    ));
  test('are new ones for each call', async () => {
    const document = parse('{ echo(text: "a") }');
    const spoiled = richSchema();
    const echo = spoiled.getQueryType()?.getFields()['echo'];
    if (echo)
      echo.resolve = (_, args) => {
        args.text += '!';
        args.ids = [];
        return args.text;
      };
    const run = compileOperation(spoiled, document, getOperationAST(document) as never);
    for (const _ of [1, 2])
      expect(await run({ contextValue: richContext(), variables: {} })).toEqual({ data: { echo: 'a!' } });
  });
});

describe('@skip and @include', () => {
  const query = `query ($a: Boolean!, $b: Boolean = true, $n: Int) {
    hero @include(if: $a) { id name @skip(if: $b) ...F @include(if: $b) ... on Hero @skip(if: $a) { color } }
    b: hero @skip(if: $a) { id @skip(if: true) name @include(if: false) color @include(if: true) @skip(if: $b) }
    heroes(n: $n) { id @include(if: $a) being: friend { id @skip(if: $b) __typename ... on Hero @include(if: $a) { color } } }
  } fragment F on Hero { self { id @include(if: $a) name } }`;
  test('each combination', () =>
    same(
      query,
      ...[true, false].flatMap((a) => [{ a }, { a, b: true }, { a, b: false, n: 1 }, { a, b: null }]),
      {},
      { a: 'x' },
    ));
  test('given null, inside of a list', () =>
    same('query ($b: Boolean = true) { heroes { id @include(if: $b) } }', { b: null }, {}, { b: false }));
  test('nothing is left', () =>
    same('query ($a: Boolean!) { hero @include(if: $a) { id } }', { a: false }, { a: true }));
  test('more combinations than are kept', async () => {
    const names = Array.from({ length: 6 }, (_, at) => `v${at}`);
    const fields = names.map((name) => `${name}: a_name @include(if: $${name})`).join(' ');
    const all = Array.from({ length: 64 }, (_, bits) =>
      Object.fromEntries(names.map((name, at) => [name, Boolean(bits & (1 << at))])),
    );
    await same(`query (${names.map((name) => `$${name}: Boolean!`).join()}) { ${fields} }`, ...all);
  });
});

test('an operation that the schema has none of', async () => {
  const document = parse('subscription { a }');
  const none = buildSchema('type Query { a: Int }');
  const run = compileOperation(none, document, getOperationAST(document) as never);
  expect(JSON.stringify(await run({ contextValue: null, variables: {} }))).toBe(
    JSON.stringify(await execute({ schema: none, document })),
  );
});
