import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectPath } from '../platform/root.js';

/** A process that a benchmark has started; it is killed when the benchmark ends. */
export interface Child {
  pid: number;
  ended: Promise<number | string>;
  /** The end of what it has printed. */
  output(): string;
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** All that it has of the environment, beside PATH and HOME. */
  env: Record<string, string>;
  /** Where it runs. */
  folder: string;
  /** Keeps a CPU profile of it in this file. */
  profile?: string | undefined;
  /** Its stdout goes to the end of this file, instead of into `output`. */
  stdout?: string | undefined;
}

const startMs = 120_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
/** As bin/doorstep has it. */
const semiSpace = '--max-semi-space-size=64';

/** The built program, by bin/doorstep unless it is profiled. */
export const startDoorstep = (args: string[], options: ChildOptions): Child =>
  options.profile === undefined
    ? startChild([projectPath('bin', 'doorstep'), ...args], options)
    : startNode([semiSpace, projectPath('dist', 'main.js'), ...args], options);

/** A built file of this folder, with the flags of bin/doorstep unless it is to run as node runs by itself. */
export const startBuilt = (
  file: string,
  args: string[],
  options: ChildOptions & { plain?: boolean },
): Child =>
  startNode([...(options.plain ? [] : [semiSpace]), projectPath('dist', 'bench', file), ...args], options);

const startNode = (args: string[], options: ChildOptions): Child =>
  startChild(
    [
      process.execPath,
      ...(options.profile === undefined
        ? []
        : [
            '--cpu-prof',
            `--cpu-prof-dir=${dirname(options.profile)}`,
            `--cpu-prof-name=${basename(options.profile)}`,
          ]),
      ...args,
    ],
    options,
  );

function startChild([program = '', ...args]: string[], { env, folder, stdout }: ChildOptions): Child {
  const { PATH = '', HOME = '' } = process.env;
  const child: ChildProcess = spawn(program, args, {
    cwd: folder,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', stdout === undefined ? 'pipe' : openSync(stdout, 'a'), 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output = `${output}${chunk.toString()}`.slice(-10_000);
    });
  running.add(child);
  const ended = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    return (code ?? signal) as number | string;
  });
  return {
    pid: child.pid ?? 0,
    ended,
    output: () => output,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Resolves once an address answers 200; throws when one of the children ends before. */
export async function whenReady(
  url: string,
  children: readonly Child[],
  headers: Record<string, string> = {},
): Promise<void> {
  const began = Date.now();
  const ended = Promise.race(
    children.map(async (child) => {
      const code = await child.ended;
      throw new Error(`a process ended with ${code} before it was ready:\n${child.output()}`);
    }),
  );
  // It is of no interest once all is ready.
  ended.catch(() => undefined);
  for (;;) {
    const answer = fetch(url, { headers, signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    const response = await Promise.race([answer, ended]);
    const text = await response?.text();
    if (response?.ok) return;
    if (Date.now() - began > startMs) {
      const said = children.map((child) => child.output()).join('\n');
      throw new Error(`not ready after ${startMs / 1000} s: ${text ?? 'no answer'}\n${said}`);
    }
    await Promise.race([delay(100), ended]);
  }
}

/**
 * A port that was free just now. Not one that the system would give to whoever connects somewhere: until the child
 * listens on it, a busy machine could have taken it back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(10_000 + Math.floor(Math.random() * 20_000), '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }
}
