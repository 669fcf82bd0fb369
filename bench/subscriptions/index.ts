/**
 * What subscriptions cost, beside what they could cost least, in one run: `make bench-subscriptions`. One stream for
 * all sockets beside a plain `ws` server that broadcasts the same bytes; a stream for each beside the same fields
 * asked for by queries; idle subscriptions beside those of a bare graphql-ws server.
 *
 * `--sockets=1000,10000` of one stream, `--orders=10000` that have a socket each, `--rounds` (3), `--deliveries`
 * (100000) of a round, `--rate` (5000) deliveries a second for `--seconds` (10) to see how long one takes, and
 * `--idle-seconds` (30). `--only=fanout,distinct,idle` runs some of it; `--profile=folder` keeps CPU profiles of
 * the gateway and of the subgraph there, which slows them down.
 */
import { readFileSync, rmSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { printed, type Results } from './report.js';
import { distinct, fanOut, idle, type SceneOptions } from './scenes.js';
import { type Stage, setStage } from './stage.js';

const { values: flags } = parseArgs({
  options: {
    sockets: { type: 'string', default: '1000,10000' },
    orders: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    deliveries: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '10' },
    'idle-seconds': { type: 'string', default: '30' },
    only: { type: 'string', default: 'fanout,distinct,idle' },
    profile: { type: 'string' },
  },
});
const sockets = flags.sockets.split(',').map((text) => whole('--sockets', text));
const orders = whole('--orders', flags.orders);
const scenes = flags.only.split(',');
const options: SceneOptions = {
  rounds: whole('--rounds', flags.rounds),
  deliveries: whole('--deliveries', flags.deliveries),
  rate: whole('--rate', flags.rate),
  seconds: whole('--seconds', flags.seconds),
  idleSeconds: whole('--idle-seconds', flags['idle-seconds']),
  log,
};

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} takes a whole number, not '${text}'`);
  return value;
}

function log(line: string): void {
  console.error(`${String(Math.round(performance.now() / 1000)).padStart(4)} s  ${line}`);
}

// Every process that we started is ended by its exit hook.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
if (process.platform !== 'linux') throw new Error('Linux is needed: the CPU of processes is read from /proc');
const wrong = scenes.find((name) => !['fanout', 'distinct', 'idle'].includes(name));
if (wrong !== undefined) throw new Error(`--only takes some of fanout,distinct,idle, not '${wrong}'`);
checkFiles(Math.max(...sockets, orders) + 500);
const folder = await mkdtemp(join(tmpdir(), 'doorstep-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
await chmod(folder, 0o711);
await bench();

/** Node takes as many as it may have when it starts, so what this process has every other will have too. */
function checkFiles(needed: number): void {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  if (most >= needed) return;
  throw new Error(
    `a process may have ${most} files open here, and ${needed} are needed: raise the hard limit (ulimit -Hn), ` +
      'or take fewer --sockets and --orders',
  );
}

async function bench(): Promise<void> {
  log('starting PostgreSQL and the subgraphs');
  const stage = await setStage({ folder, orders, profile: flags.profile && resolve(flags.profile) });
  try {
    console.log(`\n${printed(await play(stage), options.rate)}`);
    console.log(
      `\nMedians of ${options.rounds} rounds of ${options.deliveries} deliveries, as fast as they go (CPU, deliveries/s), ` +
        `and of ${options.seconds} s at a steady rate (p50, p99);\n` +
        `on ${availableParallelism()} processors shared with PostgreSQL, the subgraphs and the clients.`,
    );
  } catch (error) {
    console.error(stage.outputs());
    throw error;
  } finally {
    await stage.stop();
  }
}

async function play(stage: Stage): Promise<Results> {
  const results: Results = { fanOuts: [], distinct: undefined, idle: undefined };
  if (scenes.includes('fanout') || scenes.includes('distinct')) {
    const gateway = await stage.startGateway('gateway');
    const clients = { ours: stage.startClients('clients'), floor: stage.startClients('floor-clients') };
    const floor = await stage.startServer('floor');
    if (scenes.includes('fanout')) {
      for (const count of sockets)
        results.fanOuts.push(await fanOut(stage, { gateway, floor, clients }, count, options));
    }
    if (scenes.includes('distinct')) {
      const load = stage.startLoad();
      results.distinct = await distinct(stage, { gateway, clients: clients.ours, load }, orders, options);
    }
    await Promise.all([gateway.child.stop(), floor.child.stop()]);
  }
  if (scenes.includes('idle')) results.idle = await idle(stage, orders, options);
  return results;
}
