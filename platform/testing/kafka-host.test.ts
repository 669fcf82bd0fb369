import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kafkaDataDir } from './kafka.js';
import { stopLeftBrokers } from './kafka-host.js';

test.each(['', 'kafka-x1'])(
  'a broker that a killed run has left in its folder, /%s, is stopped',
  async (below) => {
    const runFolder = await kafkaDataDir();
    const path = join(runFolder, below, 'kafka');
    await mkdir(path, { recursive: true });
    const mark = `-Ddoorstep.data=${path}`;
    const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', mark]);
    const exit = once(left, 'exit');
    await writeFile(join(path, 'pid'), `${left.pid}\n`);
    await stopLeftBrokers(runFolder);
    expect((await exit)[1]).toBe('SIGTERM');
  },
);
