/**
 * How many requests a second gateways answer, in one run on one machine: Apollo's as shipped and with undici,
 * others, ours, and the same fetches with no GraphQL at all: `make bench-gateway`. docs/performance.md says what
 * is measured and how.
 *
 * `--only=ours,stock,floor` leaves the others out, `--query=small|big` the other query, `--no-peers` what has to
 * be installed; `--seconds=3` is the length of a round, `--rounds=5` their number; `--profile=folder` keeps a CPU
 * profile of ours there.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { canPin } from './child.js';
import { compete } from './compete.js';
import { type ContestantName, contestantNames, peerNames, titles } from './contestants.js';
import { installPeers } from './peers.js';
import { type QueryName, queries } from './queries.js';
import { disturbed, type Outcomes, promises, tableOf } from './report.js';
import { type Missing, type Running, startContestant } from './runners.js';
import { type Stage, setStage } from './stage.js';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    query: { type: 'string' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    'no-peers': { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const names = chosen(flags.only?.split(','), contestantNames, '--only').filter(
  (name) => !flags['no-peers'] || !peerNames.includes(name),
);
const queryNames = chosen(flags.query?.split(','), Object.keys(queries) as QueryName[], '--query');
const seconds = positive('--seconds', flags.seconds);
const rounds = positive('--rounds', flags.rounds);

const began = performance.now();
const log = (line: string): void =>
  console.error(`${String(Math.round((performance.now() - began) / 1000)).padStart(4)} s  ${line}`);
// Every process that we started is ended by its exit hook.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const folder = await mkdtemp(join(tmpdir(), 'doorstep-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
await bench();

async function bench(): Promise<void> {
  if (!canPin) log('taskset is missing: no process has a processor of its own, so the figures say less');
  const stage = await setStage(folder, flags.profile && resolve(flags.profile));
  const running = new Map<ContestantName, Running | Missing>();
  try {
    // The floor is started whatever is measured: the others' answers are held against its own.
    for (const name of new Set<ContestantName>(['floor', ...names]))
      running.set(name, await started(stage, name));
    const results = new Map<QueryName, Outcomes>();
    for (const name of queryNames)
      results.set(name, await compete({ stage, query: queries[name], names, running, seconds, rounds, log }));
    print(results);
  } finally {
    const all = [...running.values()].map((one) => 'child' in one && one.child.stop());
    await Promise.all([...all, stage.stop()]);
  }
}

async function started(stage: Stage, name: ContestantName): Promise<Running | Missing> {
  try {
    if (peerNames.includes(name)) await installPeers(log);
    log(`starting ${name}`);
    return await startContestant(stage, name, folder);
  } catch (error) {
    log(`${name} is missing: ${(error as Error).message}`);
    return { title: titles[name], reason: 'missing: it could not be installed or started' };
  }
}

function print(results: ReadonlyMap<QueryName, Outcomes>): void {
  for (const [name, outcomes] of results) {
    const { fetches, concurrency } = queries[name];
    console.log(`\n${name}: ${fetches} fetches, ${concurrency} requests under way at once\n`);
    console.log(tableOf(outcomes));
  }
  console.log(`\n${promises(results)}`);
  const where = canPin
    ? 'the contestant had one processor, subgraphs and load another (others busy)'
    : 'taskset is missing here: contestant, subgraphs and load shared all processors';
  console.log(`\nMedians of ${rounds} rounds of ${seconds} s; ${where}.`);
  if ([...results.values()].some(disturbed))
    console.log(
      'Something else ran here meanwhile: see busy. What is given by CPU says more than requests/s then.',
    );
}

function chosen<T extends string>(given: string[] | undefined, known: readonly T[], flag: string): T[] {
  const wrong = given?.find((name) => !known.some((one) => one === name));
  if (wrong !== undefined) throw new Error(`${flag} takes some of ${known.join(',')}, not '${wrong}'`);
  return known.filter((name) => given?.includes(name) ?? true);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1_000)) throw new Error(`${flag} takes a number, not '${text}'`);
  return value;
}
