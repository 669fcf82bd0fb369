/**
 * How many orders a second couriers bring to their end, beside what PostgreSQL alone can do on the same server, in
 * one run; and how many SQL statements and messages an order costs: `make bench`. `ORDERS` (2000) is how many each
 * part places. `--kafka` runs one process a service with a Kafka broker between them; otherwise one process has the
 * embedded bus. `--durable` lets the server force each commit to disk: without, commits cost no waiting, which favours
 * the floor, since it has ten times as many. `--profile=folder` keeps a CPU profile of each process there.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLocalKafka } from '../../platform/kafka/broker/keeper.js';
import { startCountingPostgres } from './counts.js';
import { measureFloor } from './floor.js';
import { measureFlow } from './flow.js';
import { costs, type Results, speeds } from './report.js';

const { values } = parseArgs({
  options: {
    kafka: { type: 'boolean', default: false },
    durable: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const orders = Number(process.env['ORDERS'] || 2_000);
if (!Number.isInteger(orders) || orders < 100) throw new Error('ORDERS takes a whole number from 100');

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
  log('starting PostgreSQL');
  const databases = ['floor', 'user', 'order', 'payment', 'delivery', 'event', 'bus'];
  const { durable, profile } = values;
  const { postgres, counter } = await startCountingPostgres({ dataDir: folder, databases, durable });
  try {
    const floor = await measureFloor({ url: postgres.url('floor'), counter, folder, orders, log });
    const kafka = values.kafka ? await startLocalKafka({ dataDir: folder, log: () => {} }) : undefined;
    if (kafka) log('Kafka runs');
    try {
      const brokers = kafka?.brokers;
      const databaseUrl = postgres.url('postgres');
      const flow = await measureFlow({ databaseUrl, counter, brokers, folder, orders, profile, log });
      print({ floor, flow });
    } finally {
      await kafka?.stop();
    }
  } finally {
    await postgres.stop();
  }
}

function print(results: Results): void {
  console.log(`${speeds(results)}\n\n${costs(results, orders)}`);
  const { perSecond, p50Ms, p99Ms } = results.flow.createOrder;
  const where = values.kafka ? 'one process a service, Kafka between them' : 'one process, the embedded bus';
  console.log(
    `\n${orders} orders each; ${where}; ${availableParallelism()} processors, shared with what measures.` +
      `\ncreateOrder itself: ${Math.round(perSecond)} a second, half within ${Math.round(p50Ms)} ms, 99 % within ${Math.round(p99Ms)} ms.`,
  );
}
