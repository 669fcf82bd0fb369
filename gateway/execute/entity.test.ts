import { expect, test } from 'vitest';
import { type Entity, merge } from './entity.js';

const together = (...answers: readonly Entity[]): Entity => {
  const all: Entity = {};
  for (const answer of answers) merge(all, structuredClone(answer), false, (name) => name !== 'Product');
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

test('the name of an interface takes no type away, however deep it stands', () => {
  const named = (__typename: string): Entity => ({ one: { __typename, alike: [{ __typename }] } });
  expect(together(named('Tea'), named('Product'))).toEqual(named('Tea'));
  expect(together(named('Product'), named('Tea'))).toEqual(named('Tea'));
});
