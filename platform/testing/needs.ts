import { execFileSync } from 'node:child_process';
import { type SuiteAPI, describe } from 'vitest';

/** A program that a test runs and that is no npm package; every machine has some of them. */
export type Program = 'chromium' | 'docker-compose' | 'java' | 'mvn' | 'promtool' | 'redis-server';

/** The path of a program, or undefined where it is missing. */
export function findProgram(program: Program): string | undefined {
  try {
    return execFileSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/**
 * A `describe` for tests that cannot do without a program: where it is missing they are reported as skipped,
 * and the suite's name says why; with `CI=true` they fail instead.
 */
