import { expect, test } from 'vitest';
import { badInput, must, ok, refusable, refuse, unwrap } from './errors.js';

test('a result is its value, or the GraphQL error that it stands for', () => {
  expect(unwrap(ok(7))).toBe(7);
  expect(() => unwrap(refuse('CONFLICT', 'taken'))).toThrow(
    expect.objectContaining({ message: 'taken', extensions: { code: 'CONFLICT' } }),
  );
  expect(() => unwrap(refuse('BAD_USER_INPUT', 'no', 'items.0.price'))).toThrow(
    expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT', field: 'items.0.price' } }),
  );
  expect(badInput('no', 'first').extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'first' });
});

test('a refusal inside refusable ends the work and is a value again', async () => {
  const refusal = refuse('NOT_FOUND', 'gone', 'id');
  let after = false;
  const result = await refusable(async () => {
    must(refusal);
    after = true;
  });
  expect(result).toEqual(refusal);
  expect(after).toBe(false);
  expect(await refusable(async () => must(ok(7)))).toEqual(ok(7));
});

test('what is no refusal passes through refusable', async () => {
  await expect(refusable(() => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
});
