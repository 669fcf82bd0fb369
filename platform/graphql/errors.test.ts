import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { problem } from '../errors.js';
import { silent } from '../testing/log.js';
import { errorFormatter, formatErrors } from './errors.js';

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
