import type { GraphQLSchema } from 'graphql';
import type { Answer } from '../gateway.js';
import { comparable, equal } from './answers.js';
import { careful, uncareful } from './careful.js';
import { complaints } from './conformance.js';
import { knownDifferences, namesOfTheClient } from './differences.js';
import { disputeOf, isSettled } from './dispute.js';
import type { Answers, Question } from './duel.js';

/** Alike, or different, by which of the known differences and whether they explain all of it. */
export type Verdict = 'equal' | { known: string[]; isExplained: boolean; complaints: string[] };

/**
 * Whether two answers are alike, or differ as is known; one of ours that GraphQL does not allow is wrong either way.
 * What cannot be explained is held against the answer that ApolloGateway gives when it is asked carefully.
 */
export async function judge(
  schema: GraphQLSchema,
  question: Question,
  { ours, oracle }: Answers,
  askOracle: (question: Question) => Promise<Answer>,
): Promise<Verdict> {
  const settle = (answer: Answer, more: string[]): Verdict => {
    const dispute = disputeOf({
      schema,
      question,
      ours,
      oracle: answer,
      complaintsOfOracle: complaints(schema, question, answer),
    });
    const text = () => JSON.stringify([dispute.data, dispute.onlyOurs, dispute.onlyOracle]);
    const known = [...more];
    for (const { name, settle } of knownDifferences) {
      if (isSettled(dispute)) break;
      const before = text();
      settle(dispute);
      if (text() !== before) known.push(name);
    }
    return { known, isExplained: isSettled(dispute), complaints: [] };
  };

  if (equal(comparable(ours), comparable(oracle))) return 'equal';
  const found = complaints(schema, question, ours);
  if (found.length > 0) return { known: [], isExplained: false, complaints: found };
  const verdict = settle(oracle, []);
  if (verdict === 'equal' || verdict.isExplained) return verdict;
  const asked = settle(uncareful(await askOracle(careful(schema, question))), [namesOfTheClient]);
  return asked !== 'equal' && asked.isExplained ? asked : verdict;
}
