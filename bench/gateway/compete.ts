import { type Answers, ask, difference } from './check.js';
import type { ContestantName } from './contestants.js';
import { measure, medians, type Round, type Runner } from './measure.js';
import type { BenchQuery } from './queries.js';
import type { Outcome, Outcomes } from './report.js';
import type { Missing, Running } from './runners.js';
import type { Stage } from './stage.js';

/** A warm-up has lasted long enough when the contestant had its processor for this share of a round. */
const enough = 0.9;
const mostWarmUps = 5;

export interface Competition {
  stage: Stage;
  query: BenchQuery;
  names: readonly ContestantName[];
  /** Those of `names` and the floor, or why one is not there. */
  running: ReadonlyMap<ContestantName, Running | Missing>;
  seconds: number;
  rounds: number;
  log: (line: string) => void;
}

/** A contestant that answered right, and what was measured of it. */
interface Entrant extends Runner {
  title: string;
  fetchesEach: number;
  rounds: Round[];
}

/**
 * Measures all who answer one query right, in turns, so that whatever else the machine does meets all of them.
 * @throws Error where the floor gives no answer
 */
export async function compete(options: Competition): Promise<Outcomes> {
  const { stage, query, names, running, seconds, log } = options;
  const reference = await answersOf('floor');
  const size = Math.round((reference.lengths[0] ?? 0) / 100) / 10;
  log(`${query.name}: ${size} kB an answer`);
  const entrants = new Map<ContestantName, Entrant>();
  const failures = new Map<ContestantName, string>();
  const failed = (name: ContestantName, error: Error) => {
    log(`${name} on ${query.name}: ${error.message}`);
    entrants.delete(name);
    failures.set(name, error.message.split('\n')[0] ?? '');
  };

  async function answersOf(name: ContestantName): Promise<Answers & { one: Running }> {
    const one = running.get(name);
    if (!one || 'reason' in one) throw new Error(one?.reason ?? 'missing');
    return { one, ...(await ask(stage, one.port, query)) };
  }

  for (const name of names) {
    try {
      const { one, data, lengths, fetchesEach } = await answersOf(name);
      const wrong = difference(data, reference.data);
      if (wrong !== undefined) throw new Error(`wrong: ${wrong}`);
      if (one.planned && fetchesEach !== query.fetches)
        throw new Error(`wrong: ${fetchesEach} fetches, not ${query.fetches}`);
      const { title, child, port } = one;
      entrants.set(name, { title, child, port, lengths, fetchesEach, rounds: [] });
    } catch (error) {
      failed(name, error as Error);
    }
  }

  async function turn(name: ContestantName, entrant: Entrant): Promise<Round | undefined> {
    try {
      return await measure(stage, entrant, query, seconds);
    } catch (error) {
      failed(name, error as Error);
      return undefined;
    }
  }
  for (const [name, entrant] of [...entrants]) {
    log(`${query.name}: warming up ${name}`);
    // On a machine that does other things too, a while is not enough: code is compiled after so many calls.
    for (let had = 0, tries = 0; had < enough && tries < mostWarmUps; tries++)
      had += (await turn(name, entrant))?.busy ?? enough;
  }
  for (let n = 1; n <= options.rounds; n++) {
    log(`${query.name}: round ${n} of ${options.rounds}`);
    for (const [name, entrant] of [...entrants]) {
      const round = await turn(name, entrant);
      if (round) entrant.rounds.push(round);
    }
  }

  return new Map(
    names.map((name) => {
      const entrant = entrants.get(name);
      const title = entrant?.title ?? running.get(name)?.title ?? name;
      const outcome: Outcome = entrant
        ? { title, figures: medians(entrant.rounds), fetchesEach: entrant.fetchesEach }
        : { title, reason: failures.get(name) ?? 'missing' };
      return [name, outcome];
    }),
  );
}
