import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Child {
  name: string;
  pid: number;
  process: ChildProcess;
  ended: Promise<number | string>;
  /** The end of what it printed. */
  output(): string;
  /** Asks it to end, and ends it where it does not. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  name: string;
  command: readonly string[];
  env?: Record<string, string>;
  /** The processor that it may use, where this machine can say so; any unless told. */
  core?: number;
  /** Its output goes to a file here: a pipe would cost whoever reads it, on some processor. */
  folder: string;
  /** Whether it and this process send each other messages. */
  messages?: boolean;
}

const patienceMs = 10_000;

/** What ends each of those that have not ended. */
const running = new Set<() => void>();
process.on('exit', () => {
  for (const kill of running) kill();
});

/** Whether processes can be kept on one processor each (util-linux, so Linux alone). */
export const canPin = spawnSync('taskset', ['--version']).status === 0;

/** Starts a process that does not outlive this one. */
export function startChild(options: ChildOptions): Child {
  const { name, folder, core, messages = false } = options;
  const { PATH = '', HOME = '' } = process.env;
  const file = join(folder, `${name}.log`);
  const output = openSync(file, 'w');
  const pinned = canPin && core !== undefined ? ['taskset', '-c', String(core)] : [];
  const [program = '', ...args] = [...pinned, ...options.command];
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH, HOME, NODE_ENV: 'production', ...options.env },
    stdio: ['ignore', output, output, ...(messages ? (['ipc'] as const) : [])],
    // A group of its own: what it starts ends with it, and Ctrl-C reaches this process alone.
    detached: true,
  });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started: ${program}`);
  const signal = (what: NodeJS.Signals) => {
    try {
      process.kill(-pid, what);
    } catch {
      // It has ended already.
    }
  };
  const kill = () => signal('SIGKILL');
  running.add(kill);
  const ended = once(child, 'exit').then(([code, how]) => {
    running.delete(kill);
    return (code ?? how) as number | string;
  });
  return {
    ...{ name, pid, process: child, ended },
    output: () => readFileSync(file, 'utf8').slice(-3_000),
    async stop() {
      signal('SIGTERM');
      const late = await Promise.race([ended, delay(patienceMs, 'late', { ref: false })]);
      if (late === 'late') kill();
      await ended;
      // What it had started.
      kill();
    },
  };
}
