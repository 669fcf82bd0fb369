import type { GraphQLSchema } from 'graphql';
import type { Veils } from '../../execute/planning/veils.js';
import { loadSupergraph } from '../../supergraph.js';
import { hints } from '../bazaar/hints.js';
import type { FaultKind } from '../bazaar/requests.js';
import type { Answer } from '../gateway.js';
import { comparable, equal } from './answers.js';
import { createCostCheck } from './cost.js';
import type { Answers, Duel, Question } from './duel.js';
import { createGenerator } from './generate.js';
import { judge } from './judge.js';
import { shrink } from './shrink.js';
import { isVeiled, unveiled } from './unveiled.js';

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

/**
 * A duel in which ApolloGateway is asked in words that it can answer.
 * - It does not forget the types of entities. By 6.3.2 of the GraphQL spec a fragment on the type of an object applies.
 *   Where an interface is an object to a subgraph, its entities say the interface's name; Apollo takes that for their type
 *   from then on, leaves out fragments on the type, and answers null where the type is asked for. It is right where they
 *   say nothing; our executor has to be right where they do.
 * - See `unveiled`; so it is asked where it could not plan the question, too.
 */
function mindful(duel: Duel, schema: GraphQLSchema, veils: Veils): Duel {
  const hiding = (question: Question): Question => ({ hidesInterfaceNames: 'entities', ...question });
  const isUnplanned = ({ body }: Answer): boolean => body.data === undefined;
  async function askUnveiled(question: Question): Promise<Answer> {
    const { question: plain, pruned } = unveiled(schema, veils, question);
    return pruned(await duel.askOracle(hiding(plain)));
  }
  async function askOracle(question: Question): Promise<Answer> {
    if (question.asksTypes || isVeiled(schema, veils, question)) return askUnveiled(question);
    const answer = await duel.askOracle(hiding(question));
    if (question.faults || !isUnplanned(answer)) return answer;
    const other = await askUnveiled(question);
    return isUnplanned(other) ? answer : other;
  }
  return {
    ...duel,
    askOracle,
    async ask(question) {
      const [ours, oracle] = await Promise.all([duel.askOurs(question), askOracle(question)]);
      return { ours, oracle };
    },
  };
}

/** Puts random questions to both gateways. */
export async function fuzz({
  duel: given,
  seed,
  counts,
  concurrency = 6,
  onProgress,
}: FuzzOptions): Promise<FuzzSummary> {
  const graph = loadSupergraph(given.bazaar.supergraph);
  const { clientSchema } = graph;
  const duel = mindful(given, clientSchema, graph.needs.veils);
  const isCheap = createCostCheck(graph);
  const generateForFaults = createGenerator(clientSchema, hints, isCheap);
  // With faults ApolloGateway is not asked carefully enough to be right about these.
  const generate = createGenerator(clientSchema, { ...hints, avoided: new Set(), twins: 0.15 }, isCheap);
  const summary: FuzzSummary = { asked: 0, equal: 0, known: {}, failures: [] };
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);

  function* questions(): Generator<Question & { seed: string }> {
    for (const [kind, count] of Object.entries(counts) as [FaultKind, number][]) {
      for (let n = 0; n < count; n++) {
        const own = `${seed}-${kind}-${n}`;
        const faults = kind === 'none' ? {} : { faults: { kind, seed: own } };
        const made = kind === 'none' ? generate(own) : generateForFaults(own);
        yield { seed: own, ...made, ...faults };
      }
    }
  }

  async function put(question: Question & { seed: string }): Promise<void> {
    let answers = await duel.ask(question);
    // Where time is short, a subgraph that was merely slow is asked a second time.
    if (question.faults?.kind === 'crash' && !equal(comparable(answers.ours), comparable(answers.oracle)))
      answers = await duel.ask(question);
    summary.asked++;
    onProgress?.(summary.asked, all);
    const verdict = await judge(clientSchema, question, answers, duel.askOracle);
    if (verdict === 'equal') summary.equal++;
    else if (verdict.isExplained) {
      for (const name of verdict.known) summary.known[name] = (summary.known[name] ?? 0) + 1;
    } else summary.failures.push(await tell(clientSchema, duel, question, answers, verdict.complaints));
  }

  // All take from the same questions; a generator cannot be asked by two at once, but these never overlap.
  const source = questions();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const question of source) {
        if (summary.failures.length >= mostFailures) return;
        await put(question);
      }
    }),
  );
  return summary;
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
    const verdict = await judge(schema, smaller, await duel.ask(smaller), duel.askOracle);
    return verdict !== 'equal' && !verdict.isExplained;
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
