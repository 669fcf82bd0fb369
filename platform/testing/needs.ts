import { execFileSync } from 'node:child_process';
import { describe, test } from 'vitest';

/** A program that some tests run, that is no npm package, and that not every machine has. */
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
 * A `describe` for tests that cannot do without these programs. Where one is missing they are reported as
 * skipped, under a name that says why; with `CI=true` the suite fails instead.
 */
export function needs(...programs: [Program, ...Program[]]): (name: string, suite: () => void) => void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return (name, suite) => describe(name, suite);
  const reason = `${missing.join(' and ')} missing on this machine`;
  if (process.env['CI'] !== 'true')
    return (name, suite) => describe.skipIf(true)(`${name} (${reason})`, suite);
  return (name) => {
    describe(name, () => {
      test('has the programs that it needs', () => {
        throw new Error(`${reason}, and CI=true skips nothing`);
      });
    });
  };
}
