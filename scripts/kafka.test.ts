import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';
import { commandLine } from '../platform/processes.js';
import { projectPath } from '../platform/root.js';
import { kafkaDataDir } from '../platform/testing/kafka.js';
import { needs } from '../platform/testing/needs.js';

// Java takes its time to start on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

needs('java', 'mvn')('npm run kafka', () => {
  test('prints where the broker is, and leaves none on a Ctrl-C that arrives twice', async () => {
    const dataDir = await kafkaDataDir();
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/kafka.ts'], {
      cwd: projectPath(),
      env: { ...process.env, DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    expect(line).toMatch(/^KAFKA_BROKERS=127\.0\.0\.1:\d+$/);
    const pid = Number(await readFile(join(dataDir, 'kafka', 'pid'), 'utf8'));
    expect(await commandLine(pid)).toContain('kafka.Kafka');
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(await commandLine(pid)).toBeUndefined();
  });
});
