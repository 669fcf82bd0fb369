/**
 * The soak: `make soak`. Subscribers follow orders while every process, the broker and PostgreSQL are killed and
 * started again, sockets are cut and the supergraph is swapped; docs/soak.md says what they are to see. Exits with 1
 * where something was missing, double or wrong. `--keep=folder` leaves the logs and the databases there;
 * `--rounds=0` is without any trouble.
 */
import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isFine, reportOf } from './report.js';
import { soak } from './soak.js';
import type { Verdict } from './verdict.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    subscribers: { type: 'string', default: '500' },
    orders: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    rounds: { type: 'string' },
    keep: { type: 'string' },
  },
});

function whole(name: 'seconds' | 'subscribers' | 'orders', least: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  console.error(`--${name} takes a whole number from ${least}, not '${values[name]}'`);
  return process.exit(2);
}

const began = performance.now();
const log = (line: string): void =>
  console.log(`${String(Math.round((performance.now() - began) / 1_000)).padStart(4)} s  ${line}`);

const ends: (() => Promise<void>)[] = [];
const told = new AbortController();
// All who wait for anything listen to it.
setMaxListeners(0, told.signal);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    // Told twice: what was started ends with this process, by exit hooks.
    if (told.signal.aborted) process.exit(130);
    log('stopping all that was started');
    told.abort();
  });
const stopped = new Promise<undefined>((resolve) => {
  told.signal.addEventListener('abort', () => resolve(undefined));
});

const settings = {
  seconds: whole('seconds', 1),
  subscribers: whole('subscribers', 2),
  orders: whole('orders', 1),
  seed: values.seed,
};
log(Object.entries(settings).flat().join(' '));
const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'doorstep-soak-')));
await mkdir(folder, { recursive: true });
await chmod(folder, 0o711);

async function run(): Promise<Verdict | undefined> {
  const rounds = values.rounds === undefined ? {} : { rounds: Number(values.rounds) };
  const options = {
    folder,
    ...settings,
    ...rounds,
    onEnd: (end: () => Promise<void>) => void ends.push(end),
    log,
  };
  return Promise.race([soak({ ...options, signal: told.signal }), stopped]);
}

let code = 1;
try {
  const verdict = await run();
  if (verdict) {
    console.log(`\n${reportOf(verdict)}\n`);
    const { slowest } = verdict;
    if (slowest) {
      const second = Math.round((slowest.committedAt - performance.timeOrigin - began) / 1_000);
      log(`the slowest delivery was committed at ${second} s: ${slowest.what}`);
    }
    code = isFine(verdict) ? 0 : 1;
    log(code === 0 ? 'nothing was missing, double or wrong' : `seed ${settings.seed} is not well`);
  } else code = 130;
} catch (error) {
  if (!told.signal.aborted) console.error(error);
} finally {
  for (const end of ends.toReversed()) await end().catch((error: unknown) => console.error(error));
  if (values.keep === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(code);
