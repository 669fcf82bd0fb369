import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { kafkaDataDir } from '../../testing/kafka.js';
import { findRunning, stopLeftBroker } from './broker.js';
import { pidFile, writePorts } from './folder.js';

const ended = ({ exitCode, signalCode }: ChildProcess) => exitCode ?? signalCode;

/** A process that the folder's pid file names, with a command line of one's choice. */
async function leave(path: string, ...args: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  await writeFile(pidFile(path), `${child.pid}\n`);
  await writePorts(path, { broker: 1, controller: 2 });
  return child;
}

async function find(path: string): Promise<{ found: unknown; logged: string[] }> {
  const logged: string[] = [];
  const found = await findRunning({
    folder: { path, clusterId: 'none' },
    log: (line) => logged.push(line),
    wait: { answer: 0, stop: 5_000 },
  });
  return { found, logged };
}

test('a broker that was left running and does not answer is stopped', async () => {
  const path = await kafkaDataDir();
  const left = await leave(path, `-Ddoorstep.data=${path}`, 'kafka.Kafka');
  expect(await find(path)).toEqual({
    found: undefined,
    logged: [`stopping the Kafka broker that was left running (process ${left.pid}): it does not answer`],
  });
  await expect.poll(() => ended(left)).toBe('SIGTERM');
});

test('a pid file whose number another program has now is stale, and that program is left alone', async () => {
  const path = await kafkaDataDir();
  const innocent = await leave(path, `-Ddoorstep.data=${path}-of-others`);
  expect(await find(path)).toEqual({ found: undefined, logged: [] });
  await writeFile(pidFile(path), `${innocent.pid}\n`);
  await stopLeftBroker(path);
  expect(ended(innocent)).toBeNull();
});

test('a search that is told to end leaves the broker alone', async () => {
  const path = await kafkaDataDir();
  const left = await leave(path, `-Ddoorstep.data=${path}`, 'kafka.Kafka');
  const search = findRunning({
    folder: { path, clusterId: 'none' },
    log: () => {},
    signal: AbortSignal.abort(),
  });
  await expect(search).rejects.toThrow('aborted');
  expect(ended(left)).toBeNull();
});

test('where there is no folder, there is nothing to stop', async () => {
  await stopLeftBroker(join(await kafkaDataDir(), 'none'));
});
