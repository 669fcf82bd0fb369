/**
 * Whether the gateway keeps what it should forget: `npm run bench:heap` sends 200,000 requests with 5,000 distinct
 * documents to a real gateway process over HTTP, and prints its heap after a forced collection, after the first
 * 20,000 and after all; `--requests=200000` is their number. It exits 1 where the second is more than 1.3 times
 * the first. What is kept of operations is full by then, so whatever grows on is a leak.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { freePort } from '../../platform/testing/ports.js';
import { type Child, startChild } from '../gateway/child.js';
import { contestant } from '../gateway/contestants.js';
import { orderId, orders } from '../gateway/data.js';
import { cores, type Stage, setStage } from '../gateway/stage.js';
import { table } from '../table.js';
import { type Inspector, inspect } from './inspector.js';

const documents = 5_000;
/** What is asked most of the time. The gateway keeps 2,000 operations: these stay, and the others push each other out. */
const popular = 500;
/** One request of so many is for the next of all documents. */
const rareEvery = 10;
const wanted = 1.3;
const connections = 16;
const patienceMs = 60_000;

const { values: flags } = parseArgs({ options: { requests: { type: 'string', default: '200000' } } });
const requests = Number(flags.requests);
if (!Number.isInteger(requests) || requests < 1_000)
  throw new Error('--requests takes a whole number from 1000');

const began = performance.now();
const log = (line: string): void =>
  console.error(`${String(Math.round((performance.now() - began) / 1000)).padStart(4)} s  ${line}`);
// Every process that we started is ended by its exit hook.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const folder = await mkdtemp(join(tmpdir(), 'doorstep-heap-'));
try {
  await bench();
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function bench(): Promise<void> {
  const stage = await setStage(folder, undefined);
  try {
    const [port, inspected] = [await freePort(), await freePort()];
    const { command, env } = contestant('ours', port, stage.surroundings);
    const gateway = startChild({
      name: 'gateway',
      folder,
      core: cores.contestant,
      command,
      env: { ...env, NODE_OPTIONS: `--inspect=127.0.0.1:${inspected}` },
    });
    try {
      log('starting the gateway');
      const inspector = await inspect(inspected, patienceMs);
      await measure(stage, gateway, port, inspector);
      inspector.close();
    } finally {
      await gateway.stop();
    }
  } finally {
    await stage.stop();
  }
}

async function measure(stage: Stage, gateway: Child, port: number, inspector: Inspector): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections });
  try {
    await ready(pool, gateway);
    const part = requests / 10;
    await send(pool, stage, 0, part);
    const first = await inspector.heapUsed();
    log(`${part} requests`);
    for (let done = part; done < requests; done += part) {
      await send(pool, stage, done, part);
      log(`${done + part} requests`);
    }
    const last = await inspector.heapUsed();
    const ratio = last / first;
    const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
    console.log(
      table([
        ['requests', 'heap, MiB', 'ratio', 'wanted'],
        [String(part), megabytes(first), '', ''],
        [String(requests), megabytes(last), ratio.toFixed(2), `<= ${wanted}`],
      ]),
    );
    const holds = ratio <= wanted;
    console.log(`holds: ${holds ? 'yes' : 'no'}`);
    if (!holds) process.exitCode = 1;
  } finally {
    await pool.destroy();
  }
}

/** Sends so many requests, as many at a time as there are connections. @throws Error at the first wrong answer */
async function send(pool: Pool, stage: Stage, from: number, count: number): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < from + count) {
        const body = bodyOf(next++);
        const { statusCode, text } = await ask(pool, body, stage.headers);
        if (statusCode !== 200 || text.includes('"errors"')) throw new Error(`HTTP ${statusCode} ${text}`);
      }
    }),
  );
}

async function ask(pool: Pool, body: string, headers: Record<string, string>) {
  const { statusCode, body: answer } = await pool.request({
    method: 'POST',
    path: '/graphql',
    headers,
    body,
  });
  return { statusCode, text: await answer.text() };
}

function bodyOf(request: number): string {
  const isRare = request % rareEvery === 0;
  const number = isRare ? (request / rareEvery) % documents : Math.imul(request, 0x9e3779b1) >>> 0;
  const query = documentOf(isRare ? number : number % popular);
  return JSON.stringify({
    query,
    variables: { id: orderId(request % orders), more: request % 3 === 0 },
    extensions: {
      persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') },
    },
  });
}

/** A document of its own for each number: a name, an alias and a literal. */
function documentOf(number: number): string {
  return `query Heap${number}($id: ID!, $more: Boolean!) {
  order(id: $id) { id n${number}: number total { amount currency } customer { id name email @include(if: $more) } }
  topProducts(first: ${1 + (number % 5)}) { id title }
}`;
}

async function ready(pool: Pool, gateway: Child): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const status = await pool
      .request({ method: 'GET', path: '/health/ready' })
      .then(async ({ statusCode, body }) => {
        await body.dump();
        return statusCode;
      })
      .catch(() => 0);
    if (status === 200) return;
    if (performance.now() > until) throw new Error(`the gateway is not ready:\n${gateway.output()}`);
    await delay(50);
  }
}
