import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { metrics } from '../platform/metrics.js';
import { recordingLog, silent } from '../platform/testing/log.js';
import { until } from '../platform/testing/until.js';
import { type SupergraphWatch, watchSupergraph } from './supergraph-watch.js';

let folder: string;
let path: string;
let swaps: string[];
let lines: { level: string; msg: string; reason?: string; code?: string }[];
let watching: SupergraphWatch;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doorstep-'));
  path = join(folder, 'supergraph.graphql');
  await writeFile(path, 'one');
  watching = watch();
});
afterEach(async () => {
  await watching.stop();
  await rm(folder, { recursive: true });
});

/** Whatever begins with `bad` is refused. */
function watch(): SupergraphWatch {
  const recorded = recordingLog();
  swaps = [];
  lines = recorded.lines as typeof lines;
  return watchSupergraph({
    path,
    served: 'one',
    log: recorded.log,
    async swap(sdl) {
      if (sdl.startsWith('bad')) throw new Error('it is bad,\nvery bad');
      swaps.push(sdl);
    },
  });
}

const swapped = (...contents: string[]) =>
  until(`swapped: ${contents}`, () => swaps.join() === contents.join());
/** What is there now has been looked at more than once: others who began to watch it since have dealt with it. */
async function settled(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    let isSeen = false;
    const swap = async () => {
      isSeen = true;
    };
    const other = watchSupergraph({ path, served: 'nothing', swap, log: silent });
    await until('another has seen it', () => isSeen);
    await other.stop();
  }
}
const told = (count: number) => until(`${count} lines`, () => lines.length >= count);

test('what is written, renamed into place or linked anew is swapped in, and told of', async () => {
  await writeFile(path, 'two');
  await swapped('two');
  await writeFile(join(folder, 'draft'), 'three');
  await rename(join(folder, 'draft'), path);
  await swapped('two', 'three');
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual(
    Array(2).fill(['info', 'a new supergraph is served']),
  );
});

test('a ConfigMap is followed: a link to a folder that is another link, which is replaced', async () => {
  await watching.stop();
  for (const version of ['v1', 'v2']) {
    await mkdir(join(folder, version));
    await writeFile(join(folder, version, 'file'), version === 'v1' ? 'one' : 'two');
  }
  await unlink(path);
  await symlink('v1', join(folder, '..data'));
  await symlink(join('..data', 'file'), path);
  watching = watch();
  await symlink('v2', join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  await swapped('two');
});

test('a broken one is refused once, with the reason in one line, and the next one is taken', async () => {
  const refused = async () =>
    (await metrics.supergraphChanges.get()).values.find(({ labels }) => labels.result === 'refused')?.value;
  const before = (await refused()) ?? 0;
  await writeFile(path, 'bad half');
  await told(1);
  await writeFile(path, 'bad half');
  await settled();
  expect(lines).toHaveLength(1);
  await writeFile(path, 'bad half, and the other');
  await told(2);
  expect(lines.map(({ level, reason }) => [level, reason])).toEqual(
    Array(2).fill(['error', 'it is bad, very bad']),
  );
  expect(await refused()).toBe(before + 2);
  await writeFile(path, 'two');
  await swapped('two');
});

test('one that is gone is told of once, and may come back as it was', async () => {
  await unlink(path);
  await told(1);
  await writeFile(path, 'one');
  await told(2);
  expect(lines).toMatchObject([
    { level: 'warn', code: 'ENOENT' },
    { level: 'info', msg: 'the supergraph file holds what is served again' },
  ]);
  expect(swaps).toEqual([]);
});

test('what was written between the start and the first look is seen', async () => {
  await watching.stop();
  await writeFile(path, 'two');
  watching = watch();
  await swapped('two');
});

test('what is there already is no change, however often it is written', async () => {
  await writeFile(path, 'one');
  await settled();
  await writeFile(path, 'two');
  await swapped('two');
  await writeFile(join(folder, 'same'), 'two');
  await rename(join(folder, 'same'), path);
  await settled();
  expect(lines).toHaveLength(1);
  await writeFile(path, 'three');
  await swapped('two', 'three');
});
