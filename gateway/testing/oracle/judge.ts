import type { GraphQLSchema } from 'graphql';
import type { Answer } from '../gateway.js';
import { ambiguousNames } from './ambiguous.js';
import { comparable, equal } from './answers.js';
import { careful, uncareful } from './careful.js';
import { conditionsApart, hasConditions, settled, unconditional } from './conditions.js';
import { complaints } from './conformance.js';
import { knownDifferences, otherwise } from './differences.js';
import { type Dispute, disputeOf, isSettled } from './dispute.js';
import type { Answers, Question } from './duel.js';

/** Alike, or different, by which of the known differences and whether they explain all of it. */
export type Verdict = 'equal' | { known: string[]; isExplained: boolean; complaints: string[] };

/**
 * Whether two answers are alike, or differ as is known; one of ours that GraphQL does not allow is wrong either way.
 * What cannot be explained is held against the answers that ApolloGateway gives when it is asked carefully, and in
 * other words about conditions.
 */
export async function judge(
  schema: GraphQLSchema,
  question: Question,
  { ours, oracle }: Answers,
  askOracle: (question: Question) => Promise<Answer>,
): Promise<Verdict> {
  const settle = (answer: Answer, more: string[]): Settled => {
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
    return { known, open: openIn(dispute) };
  };

  // Of such a question ApolloGateway's answer is wrong, and ours would be as wrong if it were alike.
  const isTrusted =
    question.faults !== undefined ||
    ours.body.data === undefined ||
    ambiguousNames(schema, question).size === 0;
  if (isTrusted && equal(comparable(ours), comparable(oracle))) return 'equal';
  const found = complaints(schema, question, ours);
  if (found.length > 0) return { known: [], isExplained: false, complaints: found };
  const verdict = settle(oracle, []);
  let { known } = verdict;
  let open = isTrusted ? verdict.open : undefined;
  const isExplained = () => open?.size === 0;
  const { apart, carefully, named, ofAll, told, typed, unconditionally } = otherwise;
  const plainly = careful(schema, question);
  const ways: [Question, string[]][] = [[plainly, [carefully]]];
  if (hasConditions(question))
    ways.push(
      [unconditional(plainly), [carefully, unconditionally]],
      [conditionsApart(plainly), [carefully, apart]],
      // With a name of its type asked for, no object is one of which all is left out.
      [conditionsApart(question), [apart]],
      [settled(question), [unconditionally]],
    );
  if (!question.faults)
    ways.push(
      [{ ...question, asksAll: true }, [ofAll]],
      [{ ...plainly, asksAll: true }, [carefully, ofAll]],
      [{ ...question, asksTypes: true }, [told]],
      [{ ...settled(question), asksTypes: true }, [unconditionally, told]],
      [{ ...question, hidesInterfaceNames: 'within' }, [typed]],
    );
  if (question.faults?.kind === 'fields')
    ways.push(
      [{ ...question, sparesNames: true }, [named]],
      [{ ...plainly, sparesNames: true }, [carefully, named]],
    );
  for (const [way, names] of ways) {
    if (isExplained()) break;
    const answer = await askOracle(way);
    const asked = settle(names.includes(carefully) ? uncareful(answer) : answer, names);
    if (asked.open.has(whole)) continue;
    // Root fields do not depend on each other: one may be explained by one way, and another by another.
    const before = open;
    open = before ? new Set([...asked.open].filter((name) => before.has(name))) : asked.open;
    if (open.size < (before?.size ?? 1)) known = [...new Set([...known, ...asked.known])];
  }
  return { known, isExplained: isExplained(), complaints: [] };
}

interface Settled {
  known: string[];
  /** The root fields of which something is not explained. */
  open: ReadonlySet<string>;
}

/** Stands for all root fields. */
const whole = '';

const openIn = ({ data, onlyOurs, onlyOracle }: Dispute): ReadonlySet<string> =>
  new Set([...data, ...onlyOurs, ...onlyOracle].map(({ path = [] }) => String(path[0] ?? whole)));
