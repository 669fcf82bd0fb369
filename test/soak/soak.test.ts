import { randomInt } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { needs } from '../../platform/testing/needs.js';
import { temporaryFolder } from '../support/process.js';
import { reportOf } from './report.js';
import { soak } from './soak.js';

/** The same at full size is `make soak`. */
needs('java', 'mvn')('two of everything, each part killed or cut or swapped once', () => {
  const seed = process.env['SEED'] ?? String(randomInt(1_000_000));
  test(`subscribers miss nothing and see nothing twice (SEED=${seed})`, { timeout: 480_000 }, async () => {
    const lines: string[] = [];
    const verdict = await soak({
      ...{ seed, seconds: 60, subscribers: 20, orders: 40, rounds: 1 },
      folder: await temporaryFolder(onTestFinished),
      onEnd: onTestFinished,
      log: (line) => lines.push(`${new Date().toISOString()}  ${line}`),
    });
    const { gaps, doubles, unfinished, wrong, troubles } = verdict;
    expect({ gaps, doubles, unfinished, wrong }, [...lines, reportOf(verdict)].join('\n')).toEqual({
      ...{ gaps: 0, doubles: 0, unfinished: 0, wrong: [] },
    });
    expect(new Set(Object.values(troubles))).toEqual(new Set([1]));
  });
});
