import type { Reporter, TestModule } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * A reporter that prints the last line of a test run: `12 passed, 0 failed`, and `, 3 skipped` where some
 * were. What went wrong outside of the tests (a hook, a file that does not load, the global setup, an
 * unhandled rejection) counts as failed too, so that the line never contradicts the exit code.
 */
export default class ClosingLine implements Reporter {
  private counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    // Coverage and teardown print after the run has ended; this comes after them.
    process.once('exit', (code) => process.stdout.write(`${closingLine(this.counts, code)}\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.counts = count(modules);
    this.counts.failed += unhandledErrors.length;
  }
}

function count(modules: readonly TestModule[]): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    const parts = [module, ...module.children.allSuites()];
    counts.failed += parts.filter((part) => part.errors().length > 0).length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test that is still pending was lost with its worker.
      counts[state === 'pending' ? 'failed' : state] += 1;
    }
  }
  return counts;
}

/** What the run ended with; an exit code other than 0 means that something failed, even where no test did. */
function closingLine({ passed, failed, skipped }: Counts, code: number): string {
  const failures = code === 0 ? failed : Math.max(failed, 1);
  return `${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
