import { expect, test } from 'vitest';
import { loadSupergraph } from '../../supergraph.js';
import { bazaarSupergraph } from '../bazaar/supergraph.js';
import { isVeiled, unveiled } from './unveiled.js';

const { clientSchema, needs } = loadSupergraph(bazaarSupergraph());
const { veils } = needs;
const flat = (text: string) => text.replace(/\s+/g, ' ');

test.each([
  ['{ stocked { stock ... on Book { pages } } }', false, false],
  ['{ stocked { shipping } }', false, false],
  ['{ stocked { ...B } } fragment B on Book { s: shipping }', true, true],
  ['{ media { ... on Book { shipping } } }', false, true],
])('whether it asks of some what could be asked of all: %s', (query, is, isAnywhere) => {
  expect(isVeiled(clientSchema, veils, { query })).toBe(is);
  expect(isVeiled(clientSchema, veils, { query, asksAll: true })).toBe(isAnywhere);
});

test('it is asked of all, and what was not asked for is taken out of the answer', () => {
  const question = {
    query:
      'query ($no: Boolean = true) { all: stocked { stock ... on Book { cost: shipping boxes @skip(if: $no) } } }',
  };
  const { question: asked, pruned } = unveiled(clientSchema, veils, question);
  expect(flat(asked.query)).toBe(
    'query ($no: Boolean = true) { all: stocked { q__type: __typename stock cost: shipping boxes @skip(if: $no) ... on Book { __typename } } }',
  );
  const all = ['Book', 'Film'].map((q__type) => ({ q__type, stock: 1, cost: 2 }));
  expect(pruned({ status: 200, body: { data: { all } } }).body.data).toEqual({
    all: [{ stock: 1, cost: 2 }, { stock: 1 }],
  });
});

test('it is asked for types where they might be hidden', () => {
  const question = { query: '{ stocked { stock } book(isbn: "1") { stock } }', asksTypes: true };
  const { question: asked, pruned } = unveiled(clientSchema, veils, question);
  expect(flat(asked.query)).toBe('{ stocked { q__type: __typename stock } book(isbn: "1") { stock } }');
  const stocked = [{ q__type: 'Book', stock: 1 }, null];
  expect(pruned({ status: 200, body: { data: { stocked } } }).body.data).toEqual({
    stocked: [{ stock: 1 }, null],
  });
});
