import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureDataDir, lockDataDir } from './data-dir.js';
import { type Script, startScript } from './testing/script.js';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let directory: string;
let scripts: Script[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'doorstep-lock-'));
  scripts = [];
});
afterEach(async () => {
  await Promise.all(scripts.map((script) => script.kill()));
  await rm(directory, { recursive: true });
});

/** A process that tries to lock the directory, prints how that went, and stays. */
function locker(): Script {
  const script = startScript(`
    import { lockDataDir } from './platform/data-dir.ts';
    setInterval(() => {}, 1000);
    await lockDataDir(${JSON.stringify(directory)}).then(() => console.log('locked'), (error) => console.log(error.message));`);
  scripts.push(script);
  return script;
}

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const locks = async () => (await readdir(directory)).filter((name) => name.startsWith('lock.'));

test('a second process is refused with the directory and the number of the first', async () => {
  const first = locker();
  expect(await first.line()).toBe('locked');
  const message = `${directory} is in use by process ${first.child.pid}: stop that process, or set DATA_DIR to another directory`;
  expect(await locker().line()).toBe(message);
  await expect(lockDataDir(directory)).rejects.toThrow(message);
  expect(await locks()).toHaveLength(1);
});

test('the same process is refused as well, until it unlocks', async () => {
  const unlock = await lockDataDir(directory);
  await expect(lockDataDir(directory)).rejects.toThrow(`in use by process ${process.pid}`);
  await unlock();
  await (await lockDataDir(directory))();
  expect(await locks()).toEqual([]);
});

test('the lock of a killed process does not count', async () => {
  const first = locker();
  expect(await first.line()).toBe('locked');
  await first.kill();
  expect(await locks()).toHaveLength(1);
  const unlock = await lockDataDir(directory);
  expect(await locks()).toHaveLength(1);
  await unlock();
});

test('nor does one whose number another program has now', async () => {
  await writeFile(join(directory, `lock.${process.ppid}.0123456789abcdef`), '');
  await (await lockDataDir(directory))();
  expect(await locks()).toEqual([]);
});

test('of several that start at once, over the lock of a dead one, exactly one goes on', async () => {
  const dead = locker();
  expect(await dead.line()).toBe('locked');
  await dead.kill();
  const lines = await Promise.all([locker(), locker(), locker()].map((script) => script.line()));
  expect(lines.filter((line) => line === 'locked')).toHaveLength(1);
});

test('what is made is ours alone, but root lets others pass through, for PostgreSQL runs as another user', async () => {
  const asRoot = process.getuid?.() === 0;
  const before = process.umask(0o077);
  try {
    const path = await ensureDataDir(join(directory, 'a', 'b'));
    const made = asRoot ? '711' : '700';
    expect(await Promise.all([path, join(directory, 'a'), directory].map(mode))).toEqual([made, made, '700']);
    await ensureDataDir(directory);
    expect(await mode(directory)).toBe(made);
  } finally {
    process.umask(before);
  }
});
