import { buildSchema, GraphQLError, getVariableValues, parse } from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import { problem } from '../errors.js';
import { metrics } from '../metrics.js';
import { silent } from '../testing/log.js';
import { errorFormatter, formatErrors, withoutSuggestion } from './errors.js';
import { parseOptions, readOperation } from './operation.js';

const format = errorFormatter('test', silent);
const shown = (extensions: Record<string, unknown>) =>
  format({ message: 'no', path: ['a', 0], locations: [{ line: 1, column: 2 }], extensions }, new Error('no'));

test('a refusal is shown as it is, without what is only for the servers', () => {
  expect(
    shown({
      code: 'CONFLICT',
      field: 'id',
      http: { status: 409 },
      stacktrace: ['at x'],
      serviceName: 'order',
    }),
  ).toEqual({
    message: 'no',
    path: ['a', 0],
    locations: [{ line: 1, column: 2 }],
    extensions: { code: 'CONFLICT', field: 'id' },
  });
});

test.each([
  ['BAD_REQUEST', 'BAD_USER_INPUT'],
  ['OPERATION_RESOLUTION_FAILURE', 'GRAPHQL_VALIDATION_FAILED'],
  ['DOWNSTREAM_SERVICE_ERROR', 'SERVICE_UNAVAILABLE'],
  ['PERSISTED_QUERY_NOT_FOUND', 'PERSISTED_QUERY_NOT_FOUND'],
])('the code %s of Apollo is shown as %s', (code, ours) => {
  expect(shown({ code }).extensions?.['code']).toBe(ours);
});

test('codes that somebody makes up are counted together, once there are very many', async () => {
  for (let n = 0; n < 1_000; n++)
    expect(shown({ code: `MADE_UP_${n}` }).extensions).toEqual({ code: `MADE_UP_${n}` });
  shown({ code: 'RATE_LIMITED' });
  const { values } = await metrics.graphqlErrors.get();
  const codes = values.flatMap(({ labels }) => (labels.service === 'test' ? labels.code : []));
  expect(codes.length).toBeLessThan(200);
  expect(codes).toEqual(expect.arrayContaining(['MADE_UP_0', 'RATE_LIMITED', 'OTHER']));
});

test("a request that Apollo refuses without a code is the client's, and so is one nested without end", () => {
  expect(shown({ http: { status: 400 } }).extensions).toEqual({ code: 'BAD_USER_INPUT' });
  const deep = (): number => 1 + deep();
  let overflow: unknown;
  try {
    deep();
  } catch (error) {
    overflow = error;
  }
  expect(format({ message: 'Maximum call stack size exceeded' }, overflow)).toEqual({
    message: 'The request is nested too deep.',
    extensions: { code: 'QUERY_TOO_COMPLEX' },
  });
});

test('what nobody meant for a client is an id, another each time', () => {
  const [one, two] = [shown({}), shown({ code: 'INTERNAL_SERVER_ERROR', detail: 'secret' })];
  expect(one.message).toContain(String(one.extensions?.['errorId']));
  expect(one.extensions?.['errorId']).not.toBe(two.extensions?.['errorId']);
  expect(two).toEqual({
    message: expect.not.stringContaining('no,'),
    path: ['a', 0],
    locations: [{ line: 1, column: 2 }],
    extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: expect.any(String) },
  });
});

test('an id that a subgraph gave is kept, so that its log can be found', () => {
  const errorId = crypto.randomUUID();
  expect(shown({ code: 'INTERNAL_SERVER_ERROR', errorId }).extensions).toEqual({
    code: 'INTERNAL_SERVER_ERROR',
    errorId,
  });
});

test('a stream that ends with several errors tells them all', () => {
  const several = new AggregateError([problem('NOT_FOUND', 'one'), problem('FORBIDDEN', 'two')]);
  const errors = [new GraphQLError('wrapped', { originalError: several }), problem('CONFLICT', 'three')];
  expect(formatErrors('test', silent)(errors).map(({ message }) => message)).toEqual(['one', 'two', 'three']);
});

test('an outage of the database asks to try again, and keeps its detail for the log', () => {
  const error = vi.fn();
  const outage = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
  const wrapped = new GraphQLError(outage.message, { originalError: outage, path: ['a'] });
  const [answer] = formatErrors('order', Object.assign(Object.create(silent), { error }))([wrapped]);
  const errorId = answer?.extensions?.['errorId'];
  expect(answer).toEqual({
    message: `The order service cannot do this now; try again in a moment. The error id is ${errorId}.`,
    path: ['a'],
    extensions: { code: 'SERVICE_UNAVAILABLE', service: 'order', errorId: expect.any(String) },
  });
  expect(error).toHaveBeenCalledWith({ service: 'order', errorId, err: outage }, 'internal error');
});

describe('what a client sent, and graphql quotes', () => {
  const schema = buildSchema(`
    type Query { a(input: Input, first: Int, kind: Kind): Int }
    input Input { items: [Item!] }
    input Item { quantity: Int! }
    enum Kind { LARGE }
  `);
  const definitions =
    'query ($input: Input, $first: Int, $kind: Kind) { a(input: $input, first: $first, kind: $kind) }';
  const operation = parse(definitions).definitions[0];
  const refusals = (variables: Record<string, unknown>, suggestions = true) => {
    if (operation?.kind !== 'OperationDefinition') throw new Error('no operation');
    const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
    const formatOf = errorFormatter('test', silent, { suggestions });
    return errors.map((error) =>
      formatOf({ message: error.message, extensions: { code: 'BAD_USER_INPUT' } }, error),
    );
  };
  const fieldOf = (variables: Record<string, unknown>) => refusals(variables)[0]?.extensions?.['field'];

  test('names the input at fault', () => {
    expect(fieldOf({ first: 'x' })).toBe('first');
    expect(fieldOf({ input: { items: [{ quantity: 1 }, { quantity: 'x' }] } })).toBe('items.1.quantity');
    expect(fieldOf({ input: { items: [{ quantity: 'x'.repeat(9_999) }] } })).toBe('items.0.quantity');
    expect(fieldOf({ first: { ' at "first.other': 1 } })).toBe('first');
  });

  // Each would hold the process for minutes if reading it took quadratic time.
  test.each([
    ['a key that looks like a path', { ' at "aaaa': 1, [` at "${'a'.repeat(1_000_000)}`]: 1 }],
    ['a key that looks like a path of its own', { [` at "first${'.a'.repeat(500_000)}`]: 1 }],
    ['a key of many paths', { [' at "first.a'.repeat(80_000)]: 1 }],
    ['a key of many suggestions', { [' Did you mean '.repeat(70_000)]: 1 }],
  ])('is read in no time, and cut: %s', (_, first) => {
    for (const suggestions of [true, false]) {
      const [refusal] = refusals({ first }, suggestions);
      expect(refusal).toMatchObject({ extensions: { field: 'first' } });
      expect(refusal?.message).toMatch(/^Variable "\$first" got invalid value .{900,}…$/);
      expect(refusal?.message).toHaveLength(1_000);
    }
  });

  test('a long document of many suggestions is read in no time', () => {
    const query = `{ a(first: "${' Did you mean '.repeat(70_000)}") }`;
    const errors = readOperation(schema, { query }, { introspection: false });
    expect(errors).toEqual([expect.objectContaining({ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })]);
  });

  test('a name that is almost right is told only where the schema is open', () => {
    const [open, closed] = [true, false].map(
      (suggestions) => refusals({ kind: 'LARGER' }, suggestions)[0]?.message,
    );
    expect(open).toMatch(/ Did you mean the enum value "LARGE"\?$/);
    expect(closed).toMatch(/does not exist in "Kind" enum\.$/);
    expect(withoutSuggestion('Did you mean it')).toBe('Did you mean it');
    expect(withoutSuggestion('No. Did you mean "a", "b", or "c"?')).toBe('No.');
  });

  test('a document of too many tokens is refused', () => {
    const fields = (tokens: number) =>
      `{ ${Array.from({ length: tokens / 3 }, (_, at) => `a${at}: a`).join(' ')} }`;
    expect(readOperation(schema, { query: fields(parseOptions.maxTokens - 30) })).toHaveProperty('operation');
    expect(readOperation(schema, { query: fields(parseOptions.maxTokens + 3) })).toEqual([
      expect.objectContaining({ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }),
    ]);
  });
});
