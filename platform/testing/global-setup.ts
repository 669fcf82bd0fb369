import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { lockDataDir } from '../data-dir.js';
import { startEmbeddedPostgres } from '../postgres/embedded.js';
import { hostKafka, stopLeftBrokers } from './kafka-host.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the test run's PostgreSQL server; the database in it is `postgres`. */
    postgresUrl: string;
    /** For what tests leave on the disk: goes with the run. */
    runFolder: string;
    /** Asked, it starts the run's Kafka broker and answers its address. */
    kafkaUrl: string;
  }
}

const PREFIX = 'doorstep-test-';

/** One PostgreSQL server and one Kafka broker for all tests of a run, in a temporary directory that goes with them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await sweep();
  const dataDir = await mkdtemp(join(tmpdir(), PREFIX));
  await lockDataDir(dataDir);
  const server = await startEmbeddedPostgres({ dataDir, databases: [], durable: false });
  project.provide('postgresUrl', server.url('postgres'));
  project.provide('runFolder', dataDir);
  const kafka = await hostKafka(dataDir);
  project.provide('kafkaUrl', kafka.url);
  return async () => {
    await Promise.all([kafka.stop(), server.stop()]);
    await stopLeftBrokers(dataDir);
    await remove(dataDir);
  };
}

/** Stops and removes what killed runs left behind. */
async function sweep(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const path of names.map((name) => join(tmpdir(), name))) {
    // A run that has just made its directory may not have locked it yet.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs < 60_000) continue;
    try {
      await lockDataDir(path);
      await stopLeftBrokers(path);
      await (await startEmbeddedPostgres({ dataDir: path, databases: [], durable: false })).stop();
      await remove(path);
    } catch {
      // In use, or another user's.
    }
  }
}

const remove = (path: string) => rm(path, { recursive: true, force: true, maxRetries: 5 });
