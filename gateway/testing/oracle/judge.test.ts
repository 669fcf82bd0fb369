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
