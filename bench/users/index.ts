/**
 * A page of twenty users, each by its id, from a user service that keeps what it has read in Redis, in itself, or not at
 * all: requests a second, in one run, in turns. `make bench-users`; Redis is left out where there is no redis-server.
 * `--rounds=3` of `--seconds=4` each; what is told are medians.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.js';
import { findProgram } from '../../platform/testing/needs.js';
import { freePort } from '../../platform/testing/ports.js';
import { startTestRedis } from '../../platform/testing/redis.js';
import { type Child, startBuilt, whenReady } from '../children.js';
import { run } from '../flow/seed.js';
import { table } from '../table.js';

const onPage = 20;
const users = 1_000;
const atOnce = 16;

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' } },
});
const [rounds, seconds] = [Number(flags.rounds), Number(flags.seconds)];
if (!(Number.isInteger(rounds) && rounds >= 1 && seconds >= 1))
  throw new Error('--rounds and --seconds take numbers from 1');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const folder = await mkdtemp(join(tmpdir(), 'doorstep-bench-'));
await chmod(folder, 0o711);
const postgres = await startEmbeddedPostgres({ dataDir: folder, databases: ['user'] });
const redis = findProgram('redis-server') ? await startTestRedis() : undefined;
const children: Child[] = [];
try {
  await bench();
} finally {
  await Promise.all(children.map((child) => child.stop()));
  await redis?.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

interface Contestant {
  title: string;
  ask(page: number): Promise<number>;
  perSecond: number[];
}

async function bench(): Promise<void> {
  const privateKey = generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const signer = await createTokenSigner({ privateKey, ttlMs: 3_600_000 });
  const { accessToken } = await signer.sign({ id: randomUUID(), role: 'DISPATCHER' });
  const bodies: string[] = [];

  async function start(title: string, env: Record<string, string>): Promise<Contestant> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = startBuilt('service.js', ['user'], {
      folder,
      env: {
        ...{
          NODE_ENV: 'production',
          LOG_LEVEL: 'warn',
          HOST: '127.0.0.1',
          PORT: String(port),
          METRICS_PORT: '0',
        },
        ...{ DATABASE_URL: postgres.url('postgres'), JWT_PRIVATE_KEY: privateKey, DATA_DIR: folder },
        SERVICE_SECRET: randomUUID(),
        ...env,
      },
    });
    children.push(child);
    await whenReady(`${url}/health/ready`, [child]);
    const pool = new Pool(url, { connections: atOnce });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` };
    return {
      title,
      perSecond: [],
      async ask(page) {
        const body = bodies[page % bodies.length] ?? '';
        const answer = await pool.request({ path: '/graphql', method: 'POST', headers, body });
        const text = await answer.body.text();
        if (answer.statusCode !== 200 || text.includes('"errors"'))
          throw new Error(`${title} refused: ${text}`);
        return text.length;
      },
    };
  }

  // The first applies the migrations.
  const contestants = [await start('kept nowhere: read from PostgreSQL', {})];
  if (redis) contestants.push(await start('kept in Redis', { REDIS_URL: redis.url }));
  contestants.push(await start('kept in the process', { BENCH_CACHE: 'here' }));
  const seeded = await run<{ id: string }>(
    postgres.url('user'),
    `insert into users (email, password_hash, first_name, last_name)
     select n || '@example.org', 'none', 'Rosa', 'Random' from generate_series(1, ${users}) n returning id`,
  );
  for (let first = 0; first < users; first += onPage) {
    const fields = seeded
      .slice(first, first + onPage)
      .map(({ id }, n) => `u${n}: user(id: "${id}") { id firstName lastName email role createdAt }`);
    bodies.push(JSON.stringify({ query: `{ ${fields.join(' ')} }` }));
  }

  for (const contestant of contestants) await measure(contestant, seconds);
  for (let round = 1; round <= rounds; round += 1)
    for (const contestant of contestants) contestant.perSecond.push(await measure(contestant, seconds));
  const [uncached = 1] = contestants.map(({ perSecond }) => median(perSecond));
  console.log(
    table([
      [`a page of ${onPage} users by id, ${atOnce} requests under way`, 'requests/s', 'ratio'],
      ...contestants.map(({ title, perSecond }) => [
        title,
        String(Math.round(median(perSecond))),
        (median(perSecond) / uncached).toFixed(2),
      ]),
    ]),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Pages a second. */
async function measure({ ask }: Contestant, length: number): Promise<number> {
  const began = performance.now();
  const end = began + length * 1_000;
  let asked = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() < end) await ask(asked++);
    }),
  );
  return (asked / (performance.now() - began)) * 1_000;
}
