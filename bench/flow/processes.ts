import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { projectPath } from '../../platform/root.js';

/** What runs of the program: one process with the embedded bus, or one a service with Kafka between them. */
export interface Processes {
  /** The gateway's, http://host:port. */
  url: string;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  /** Of the environment, beside what is chosen here: ports, above all. */
  env: Record<string, string>;
  /** Several processes speak through these brokers. */
  brokers?: string | undefined;
  /** A folder that they may use as theirs. */
  folder: string;
  /** Keeps a CPU profile of each process there. */
  profile?: string | undefined;
}

const services = ['user', 'order', 'payment', 'delivery'] as const;
const startMs = 120_000;

/** Starts the built program, and resolves once the gateway says that all is ready. */
export async function startProcesses(options: ProcessOptions): Promise<Processes> {
  const { env, brokers } = options;
  const ports = new Map<string, number>();
  for (const name of ['gateway', ...services]) ports.set(name, await freePort());
  const urlOf = (name: string): string => `http://127.0.0.1:${ports.get(name)}`;
  const common = { ...env, HOST: '127.0.0.1', METRICS_PORT: '0' };
  const children: Child[] = [];
  const start = (command: string, name: string, more: Record<string, string> = {}) =>
    children.push(startChild(command, { ...common, PORT: String(ports.get(name)), ...more }, options));
  if (brokers === undefined) start('all', 'gateway');
  else {
    const JWKS_URL = `${urlOf('user')}/.well-known/jwks.json`;
    const subgraphs = services.map((name) => [name, `${urlOf(name)}/graphql`]);
    const shared = { KAFKA_BROKERS: brokers, JWKS_URL };
    for (const name of services) start(name, name, shared);
    start('gateway', 'gateway', { ...shared, SUBGRAPH_URLS: JSON.stringify(Object.fromEntries(subgraphs)) });
  }
  const stop = async () => void (await Promise.all(children.map((child) => child.stop())));
  try {
    await ready(urlOf('gateway'), children);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: urlOf('gateway'), stop };
}

/** Applies the services' migrations. */
export async function applyMigrations(options: ProcessOptions): Promise<void> {
  const child = startChild('migrate', options.env, options, ['up']);
  const code = await child.ended;
  if (code !== 0) throw new Error(`the migrations ended with ${code}:\n${child.output()}`);
}

interface Child {
  ended: Promise<number | string>;
  output(): string;
  stop(): Promise<void>;
}

function startChild(
  command: string,
  env: Record<string, string>,
  { folder, profile }: ProcessOptions,
  more: string[] = [],
): Child {
  const { PATH = '', HOME = '' } = process.env;
  // With a profile, what bin/doorstep does.
  const [program, ...args] =
    profile === undefined
      ? [projectPath('bin', 'doorstep')]
      : [
          ...[process.execPath, '--cpu-prof', `--cpu-prof-dir=${profile}`, '--max-semi-space-size=64'],
          projectPath('dist', 'main.js'),
        ];
  const child: ChildProcess = spawn(program ?? '', [...args, command, ...more], {
    cwd: folder,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output = `${output}${chunk.toString()}`.slice(-10_000);
    });
  const kill = () => void child.kill('SIGKILL');
  process.on('exit', kill);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', kill);
    return (code ?? signal) as number | string;
  });
  return {
    ended,
    output: () => output,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function ready(url: string, children: Child[]): Promise<void> {
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
    const answer = fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).catch(
      () => undefined,
    );
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

/** A port that was free just now. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
