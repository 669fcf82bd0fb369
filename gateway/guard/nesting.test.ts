import { expect, test } from 'vitest';
import { refuseNesting } from './nesting.js';

const nested = (levels: number): unknown => {
  let value: unknown = 'inside';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { value };
  return value;
};

test('variables may be nested a hundred deep and no deeper, however much deeper they are', () => {
  expect(refuseNesting(undefined)).toBeUndefined();
  expect(refuseNesting(nested(100))).toBeUndefined();
  for (const levels of [101, 200_000]) {
    expect(refuseNesting(nested(levels))?.extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'variables' });
  }
});
