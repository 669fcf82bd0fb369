import { expect, test } from 'vitest';
import { type Entity, merge } from './entity.js';

const together = (...answers: readonly Entity[]): Entity => {
  const all: Entity = {};
  for (const answer of answers) merge(all, structuredClone(answer), false);
  return all;
};

test('what two subgraphs answer at once is the same whichever comes first', () => {
  const known = { user: { name: 'Ada', friends: [{ id: '1' }, { id: '2' }], boss: { id: '3' } } };
  for (const other of [
    { user: null },
    { user: { name: null, age: null } },
    { user: { friends: null } },
    { user: { friends: [null, { name: 'Bo' }] } },
    { user: { friends: [{ id: null }, null], boss: { name: null } } },
  ]) {
    const merged = together(known, other);
    expect(merged).toEqual(together(other, known));
    expect(merged).toMatchObject({ user: { name: 'Ada', boss: { id: '3' } } });
  }
});

test('of two values the later stands', () => {
  expect(together({ stars: 1, tags: ['a'] }, { stars: 2, tags: ['b'] })).toEqual({ stars: 2, tags: ['b'] });
  expect(together({ tags: ['a', 'b'] }, { tags: [] })).toEqual({ tags: [] });
});
