import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { judge } from './judge.js';

const schema = buildSchema('type Query { thing: Thing } type Thing { name: String }');

test('an object with a field toString is judged as any other', async () => {
  const answer = (thing: unknown) => ({ status: 200, body: { data: { thing } } });
  const answers = { ours: answer(null), oracle: answer({ toString: 7 }) };
  const question = { query: '{ thing { toString: name } }' };
  const verdict = await judge(schema, question, answers, () => Promise.resolve(answers.oracle));
  expect(verdict).toMatchObject({ isExplained: false });
});
