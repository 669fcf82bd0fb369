/**
 * How many events a second `publishEvents` takes through the gateway, a hundred a batch, beside a bare kafkajs producer
 * with the same settings, batches and bytes, in one run: `make bench-events`. Everything else runs too: one process a
 * service, a Kafka broker, PostgreSQL, and the event store, which consumes what is published meanwhile. The two take
 * turns, `--rounds=3` of `--seconds=5` each; what is told are medians, and the store's own pace.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { startLocalKafka } from '../../platform/kafka/broker/keeper.js';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.js';
import { type ProcessOptions, startProcesses } from '../flow/processes.js';
import { run } from '../flow/seed.js';
import { table } from '../table.js';
import { measureBare, startBare } from './bare.js';
import { measurePublished } from './load.js';

const batchSize = 100;
const wanted = 0.25;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    profile: { type: 'string' },
  },
});
const [rounds, seconds] = [Number(flags.rounds), Number(flags.seconds)];
if (!(Number.isInteger(rounds) && rounds >= 1 && seconds >= 1))
  throw new Error('--rounds and --seconds take numbers from 1');

const began = performance.now();
const log = (line: string): void =>
  console.error(`${String(Math.round((performance.now() - began) / 1000)).padStart(4)} s  ${line}`);
// Servers and processes that we started are ended by their exit hooks.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const folder = await mkdtemp(join(tmpdir(), 'doorstep-bench-'));
await chmod(folder, 0o711);
try {
  await bench();
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function bench(): Promise<void> {
  log('starting PostgreSQL and Kafka');
  const databases = ['user', 'order', 'payment', 'delivery', 'event'];
  const postgres = await startEmbeddedPostgres({ dataDir: folder, databases });
  try {
    const kafka = await startLocalKafka({ dataDir: folder, log: () => {} });
    try {
      await measure(postgres.url('postgres'), kafka.brokers);
    } finally {
      await kafka.stop();
    }
  } finally {
    await postgres.stop();
  }
}

async function measure(databaseUrl: string, brokers: string): Promise<void> {
  const pair = generateKeyPairSync('ed25519');
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const program: ProcessOptions = {
    ...{ folder, brokers, profile: flags.profile },
    env: {
      ...{
        NODE_ENV: 'production',
        LOG_LEVEL: 'warn',
        DATABASE_URL: databaseUrl,
        JWT_PRIVATE_KEY: privateKey,
      },
      ...{ DEMO_DATA: 'off', DATA_DIR: folder },
      ...{ TRUSTED_DOCUMENTS: 'off', RATE_LIMIT_RPS: '1000000' },
    },
  };
  const processes = await startProcesses(program);
  const bare = await startBare(brokers);
  try {
    const signer = await createTokenSigner({ privateKey, ttlMs: 3_600_000 });
    const { accessToken } = await signer.sign({ id: randomUUID(), role: 'DISPATCHER' });
    const ours = (length: number) => measurePublished(processes.url, accessToken, length, batchSize);
    log('warming up');
    await ours(2);
    await measureBare(bare, 2, batchSize);
    const results: { bare: number; ours: number }[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      await stored(databaseUrl);
      const result = { bare: await measureBare(bare, seconds, batchSize), ours: 0 };
      await stored(databaseUrl);
      result.ours = await ours(seconds);
      results.push(result);
      log(`round ${round}: ${Math.round(result.bare)} and ${Math.round(result.ours)} events/s`);
    }
    const pace = await stored(databaseUrl);
    print(results, pace);
  } finally {
    await bare.disconnect();
    await processes.stop();
  }
}

/** Waits until the store has all there is, and answers how many events a second it stored meanwhile. */
async function stored(databaseUrl: string): Promise<number> {
  const url = new URL('/event', databaseUrl).href;
  const count = async () =>
    Number(
      (await run<{ count: string }>(url, 'select coalesce(sum(stored), 0) as count from event_counts'))[0]
        ?.count,
    );
  const [from, since] = [await count(), performance.now()];
  let [last, changed] = [from, since];
  while (performance.now() - changed < 1_500) {
    await delay(100);
    const now = await count();
    if (now > last) [last, changed] = [now, performance.now()];
  }
  return ((last - from) / Math.max(changed - since, 1)) * 1_000;
}

function median(numbers: number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function print(results: { bare: number; ours: number }[], pace: number): void {
  const bare = median(results.map((result) => result.bare));
  const ours = median(results.map((result) => result.ours));
  const ratio = median(results.map((result) => result.ours / result.bare));
  console.log(
    table([
      ['events/s, a hundred a batch', 'bare kafkajs', 'publishEvents', 'ratio', 'wanted'],
      [
        'acks=all, snappy',
        String(Math.round(bare)),
        String(Math.round(ours)),
        ratio.toFixed(2),
        wanted.toFixed(2),
      ],
    ]),
  );
  console.log(
    `\nMedians of ${rounds} rounds of ${seconds} s; ${availableParallelism()} processors, shared with what measures.` +
      `\nThe store, which also ran while events were published, stored ${Math.round(pace)} events/s after that.`,
  );
}
