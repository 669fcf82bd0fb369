import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Script {
  child: ChildProcess;
  /** The next line it prints. Rejects with its error output when it ends before that. */
  line(): Promise<string>;
  /** SIGKILL, which leaves it no time for anything; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Runs TypeScript (an ES module) in a process of its own, in a process group of its own, from the
 * root of the project: it imports with `./platform/...`. For what only another process can show.
 */
export function startScript(code: string): Script {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  return {
    child,
    async line() {
      const next = await lines.next();
      if (next.done !== true) return next.value;
      if (child.stderr.readable) await once(child.stderr, 'end');
      throw new Error(`the script has ended: ${complaints}`);
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
