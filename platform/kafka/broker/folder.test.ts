import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { kafkaDataDir } from '../../testing/kafka.js';
import { needs } from '../../testing/needs.js';
import { startScript } from '../../testing/script.js';
import { choosePorts, openFolder, writePorts } from './folder.js';
import { kafkaClasspath } from './maven.js';

// Java takes its time to start on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

const log = () => {};

needs('java', 'mvn')('a folder of Kafka', () => {
  let classpath: string;
  beforeAll(async () => {
    classpath = await kafkaClasspath({ log });
  });

  test('is formatted once', async () => {
    const path = await kafkaDataDir();
    const { clusterId } = await openFolder(path, classpath, log);
    expect(clusterId).toMatch(/^[\w-]{22}$/);
    expect(await openFolder(path, classpath, log)).toEqual({ path, clusterId });
    expect(await readdir(path)).toEqual(['data']);
  });

  test('whose format was killed on its way is formatted again', async () => {
    const path = await kafkaDataDir();
    const script = startScript(`
      import { openFolder } from './platform/kafka/broker/folder.ts';
      await openFolder(${JSON.stringify(path)}, ${JSON.stringify(classpath)}, () => {});`);
    await expect
      .poll(() => readdir(path), { interval: 5, timeout: 20_000 })
      .toEqual([expect.stringMatching(/^data\.format-/)]);
    process.kill(-(script.child.pid ?? 0), 'SIGKILL');
    await openFolder(path, classpath, log);
    expect(await readdir(path)).toEqual(['data']);
  });

  test('that is none of Kafka is set aside, not used and not lost', async () => {
    const path = await kafkaDataDir();
    await mkdir(join(path, 'data'));
    await writeFile(join(path, 'data', 'precious'), 'yes');
    await openFolder(path, classpath, log);
    const [data, aside = ''] = await readdir(path);
    expect(data).toBe('data');
    expect(await readFile(join(path, aside, 'precious'), 'utf8')).toBe('yes');
  });

  test('that cannot be formatted says why in one line', async () => {
    const path = await kafkaDataDir();
    const message = await openFolder(path, '', log).catch((error: Error) => error.message);
    expect(message).toMatch(/^Kafka's folder could not be formatted: .*kafka\.tools\.StorageTool.*$/);
    expect(await readdir(path)).toEqual([]);
  });
});

test('ports are the last ones where those are free, and others where they are not', async () => {
  const path = await kafkaDataDir();
  const first = await choosePorts(path);
  await writePorts(path, first);
  expect(await choosePorts(path)).toEqual(first);

  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(first.broker, '127.0.0.1', resolve));
  const second = await choosePorts(path);
  expect(second.broker).not.toBe(first.broker);
  expect(second.controller).toBe(first.controller);
  expect((await choosePorts(path, first.broker)).broker).toBe(first.broker);
  await new Promise((resolve) => squatter.close(resolve));
});
