import type { GraphQLSchema } from 'graphql';
import { loadSupergraph } from '../../supergraph.js';
import { hints } from '../bazaar/hints.js';
import type { FaultKind } from '../bazaar/requests.js';
import { comparable, equal } from './answers.js';
import { complaints } from './conformance.js';
import { type Dispute, knownDifferences } from './differences.js';
import type { Answers, Duel, Question } from './duel.js';
import { createGenerator } from './generate.js';
import { shrink } from './shrink.js';

export interface FuzzOptions {
  duel: Duel;
  seed: string;
  /** How many questions of each kind of fault. */
  counts: Partial<Record<FaultKind, number>>;
  /** How many are asked at once. */
  concurrency?: number;
  onProgress?: (asked: number, all: number) => void;
}

export interface FuzzSummary {
  asked: number;
  equal: number;
  /** How often each known difference was met. */
  known: Record<string, number>;
  /** What nothing explains, told in full; after five the run ends. */
  failures: string[];
}

const mostFailures = 5;

/** Puts random questions to both gateways. */
export async function fuzz({
  duel,
  seed,
  counts,
  concurrency = 6,
  onProgress,
}: FuzzOptions): Promise<FuzzSummary> {
  const { clientSchema } = loadSupergraph(duel.bazaar.supergraph);
  const generate = createGenerator(clientSchema, hints);
  const summary: FuzzSummary = { asked: 0, equal: 0, known: {}, failures: [] };
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);

  function* questions(): Generator<Question & { seed: string }> {
    for (const [kind, count] of Object.entries(counts) as [FaultKind, number][]) {
      for (let n = 0; n < count; n++) {
        const own = `${seed}-${kind}-${n}`;
        const faults = kind === 'none' ? {} : { faults: { kind, seed: own } };
        yield { seed: own, ...generate(own), ...faults };
      }
    }
  }

  async function judge(question: Question & { seed: string }): Promise<void> {
    const answers = await duel.ask(question);
    summary.asked++;
    onProgress?.(summary.asked, all);
    const verdict = await judgeAnswers(clientSchema, duel, question, answers);
    if (verdict === 'equal') summary.equal++;
    else if (verdict.known) summary.known[verdict.known] = (summary.known[verdict.known] ?? 0) + 1;
    else {
      summary.failures.push(await tell(clientSchema, duel, question, answers, verdict.complaints));
    }
  }

  // All take from the same questions; a generator cannot be asked by two at once, but these never overlap.
  const source = questions();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const question of source) {
        if (summary.failures.length >= mostFailures) return;
        await judge(question);
      }
    }),
  );
  return summary;
}

type Verdict = 'equal' | { known?: string; complaints: string[] };

/** Whether two answers are alike, or differ as is known; one of ours that GraphQL does not allow is wrong either way. */
export async function judgeAnswers(
  schema: GraphQLSchema,
  duel: Duel,
  question: Question,
  answers: Answers,
): Promise<Verdict> {
  const [ours, oracle] = [comparable(answers.ours), comparable(answers.oracle)];
  if (equal(ours, oracle)) return 'equal';
  const found = complaints(schema, question, answers.ours);
  if (found.length > 0) return { complaints: found };
  const dispute: Dispute = { question, answers, ours, oracle, askOracle: duel.askOracle };
  for (const { name, explains } of knownDifferences) {
    if (await explains(dispute)) return { known: name, complaints: [] };
  }
  return { complaints: [] };
}

/** A failure as somebody needs it who wants to see why: its seed, both answers, and a smaller query that fails too. */
async function tell(
  schema: GraphQLSchema,
  duel: Duel,
  question: Question & { seed: string },
  answers: Answers,
  found: readonly string[],
): Promise<string> {
  const fails = async (smaller: Question) => {
    const verdict = await judgeAnswers(schema, duel, smaller, await duel.ask(smaller));
    return verdict !== 'equal' && verdict.known === undefined;
  };
  const smaller = await shrink(schema, question, fails);
  const again = await duel.ask(smaller);
  return [
    `seed ${question.seed}, faults ${JSON.stringify(question.faults ?? null)}`,
    question.query,
    `variables ${JSON.stringify(question.variables)}`,
    ...found.map((complaint) => `against GraphQL: ${complaint}`),
    `ours   ${JSON.stringify(answers.ours)}`,
    `oracle ${JSON.stringify(answers.oracle)}`,
    'smaller:',
    smaller.query,
    `ours   ${JSON.stringify(again.ours)}`,
    `oracle ${JSON.stringify(again.oracle)}`,
  ].join('\n');
}

/** A summary in lines. */
export function summaryText({ asked, equal: same, known, failures }: FuzzSummary): string {
  return [
    `${asked} questions, ${same} answered alike, ${failures.length} that nothing explains`,
    ...Object.entries(known).map(([name, count]) => `  ${count} known: ${name}`),
    ...failures.map((failure) => `\n${failure}`),
  ].join('\n');
}
