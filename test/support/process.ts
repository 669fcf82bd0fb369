import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '../../platform/root.js';

/** A folder that is removed when the test has ended. Root's PostgreSQL is another user: it must be able to pass. */
export async function temporaryFolder(onEnd: (remove: () => Promise<void>) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doorstep-'));
  await chmod(folder, 0o711);
  onEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Doorstep {
  child: ChildProcess;
  /** Everything it has printed. */
  output(): string;
  /** Resolves to the address that it announces, once all it needs is ready; rejects with the output when it ends before. */
  ready: Promise<string>;
  /** The exit code, or the signal that ended it. */
  ended: Promise<number | string>;
}

/**
 * Runs the built program as a user would, with nothing of our environment but PATH, HOME and the executors. `input` is
 * what it can read.
 */
export function runDoorstep(args: string[], env: Record<string, string>, input?: string): Doorstep {
  if (!existsSync(projectPath('dist', 'main.js')))
    throw new Error('the program is not built: run `make build` first');
  const { PATH, HOME, GATEWAY_EXECUTOR, SUBGRAPH_EXECUTOR } = process.env;
  const child = spawn(projectPath('bin', 'doorstep'), args, {
    cwd: env['DATA_DIR'] ?? tmpdir(),
    env: {
      PATH,
      HOME,
      GATEWAY_EXECUTOR,
      SUBGRAPH_EXECUTOR,
      PORT: '0',
      METRICS_PORT: '0',
      LOG_LEVEL: 'warn',
      SERVICE_SECRET: 'what the services of a test say to each other',
      // Tests ask as fast as they can.
      RATE_LIMIT_RPS: '0',
      ...env,
    },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  let printed = '';
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const ready = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      printed += chunk.toString();
      // An empty line ends the announcement.
      const url = /^ {2}GraphQL +(http:\S+)\/graphql.*?^ {2}Health .*?\n\n/ms.exec(printed)?.[1];
      if (url) resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    void ended.then((code) =>
      reject(new Error(`doorstep ended with ${code} before it was ready:\n${printed}`)),
    );
  });
  // Whoever does not wait for it must not be hurt by its rejection.
  ready.catch(() => undefined);
  return { child, output: () => printed, ready, ended };
}
