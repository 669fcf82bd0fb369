/**
 * The order page end to end: an order with its items, products, user, payment, delivery and history, through
 * real subgraphs and PostgreSQL, on two processors that everything shares. In one run, by turns: the all-stock
 * stack (Apollo Server everywhere, the gateway with its default data source), Doorstep with Apollo's executors,
 * and Doorstep: `make bench-page`.
 *
 * `--seconds` (5) is how long a turn is, `--rounds` (5) how many turns each stack has, `--concurrency` (16) how
 * many requests are under way. `--profile=folder` runs Doorstep alone, and keeps a CPU profile of its gateway and
 * of each subgraph there.
 */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { serviceNames } from '../../platform/config.js';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.js';
import { run } from '../flow/seed.js';
import { createVisitor, type Visitor } from './load.js';
import { type Measured, measureTurn, type Turn } from './measure.js';
import { type PlacedOrder, placeOrders } from './orders.js';
import { printReport } from './report.js';
import { checkAnswers } from './same.js';
import { type Stack, stackNames, startStacks } from './stacks.js';

const processors = 2;
/** Before anything is measured, so often of each stack: code must be hot, and caches full. */
const firstWarmUp = 4_000;
/** Before each turn: connections that were closed meanwhile are opened. */
const warmUpMs = 1_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    concurrency: { type: 'string', default: '16' },
    profile: { type: 'string' },
  },
});
const number = (name: 'seconds' | 'rounds' | 'concurrency'): number => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1`);
  return value;
};
const options = { ms: number('seconds') * 1000, concurrency: number('concurrency') };
const rounds = number('rounds');
const profile = values.profile === undefined ? undefined : resolve(values.profile);

const began = performance.now();
const log = (line: string): void =>
  console.error(`${String(Math.round((performance.now() - began) / 1000)).padStart(4)} s  ${line}`);
// Servers and processes that we started are ended by their exit hooks.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

if (process.platform !== 'linux') throw new Error('Linux is needed: the CPU of processes is read from /proc');
holdToProcessors();
const folder = await mkdtemp(join(tmpdir(), 'doorstep-bench-'));
await chmod(folder, 0o711);
try {
  await bench();
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** This process and all that it starts run on two processors, where the machine has more. */
function holdToProcessors(): void {
  if (availableParallelism() <= processors) return;
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const numbers = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
  const list = numbers.slice(0, processors).join(',');
  execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', list, String(process.pid)]);
}

async function bench(): Promise<void> {
  log('starting PostgreSQL');
  const databases = [...serviceNames, 'bus'];
  const postgres = await startEmbeddedPostgres({ dataDir: folder, databases, durable: false });
  try {
    const databaseUrl = postgres.url('postgres');
    const privateKey = generateKeyPairSync('ed25519')
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();
    const orders = await placeOrders({ databaseUrl, privateKey, folder });
    for (const service of serviceNames) await run(postgres.url(service), 'vacuum analyze');
    log(`${orders.length} orders are at the door`);
    const names = profile === undefined ? stackNames : (['doorstep'] as const);
    const { stacks, stop } = await startStacks(names, { databaseUrl, privateKey, folder, profile });
    try {
      await compare(stacks, orders);
    } finally {
      await stop();
    }
  } finally {
    await postgres.stop();
  }
}

async function compare(stacks: readonly Stack[], orders: readonly PlacedOrder[]): Promise<void> {
  const visitors = new Map(stacks.map((stack) => [stack.name, createVisitor(stack.url, orders)]));
  const visitorOf = ({ name }: Stack) => visitors.get(name) as Visitor;
  try {
    const bytes = await checkAnswers([...visitors], orders);
    log(`every stack gives the same answer for each of ${orders.length} orders`);
    const { concurrency } = options;
    for (const stack of stacks) await visitorOf(stack).visit({ concurrency, requests: firstWarmUp });
    log('all are warm');
    const measured: Measured = new Map(stacks.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const stack of stacks) {
        const visitor = visitorOf(stack);
        await visitor.visit({ concurrency, ms: warmUpMs });
        const turn: Turn = await measureTurn(stack, join(folder, 'postgres'), () => visitor.visit(options));
        measured.get(stack.name)?.push(turn);
        log(`round ${round}, ${stack.name}: ${Math.round(turn.perSecond)} requests/s`);
      }
    }
    printReport(measured, { ...options, rounds, bytes, orders: orders.length });
  } finally {
    await Promise.all([...visitors.values()].map((visitor) => visitor.close()));
  }
}
