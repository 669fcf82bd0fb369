import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { Running } from '../../keeper.js';
import { commandLine } from '../../processes.js';
import {
  type BrokerFolder,
  choosePorts,
  dataOf,
  logFile,
  type Ports,
  pidFile,
  readPorts,
  settingsFile,
  settingsText,
  writePorts,
} from './folder.js';
import { java, lastWords } from './java.js';

/** A broker that runs on a folder; it may have been started by a process that is long dead. */
export interface Broker extends Running {
  ports: Ports;
}

/** How long, in ms, we wait before we become ruder. */
export const patience = {
  /** One that was left running, to answer: it may have been starting. */
  answer: 20_000,
  /** One that starts; after a kill it reads its logs, and waits until its last session has ended. */
  start: 60_000,
  stop: 20_000,
  /** Until we look again whether a broker that is no child of ours still runs. */
  look: 1_000,
};

export interface FindOptions {
  folder: BrokerFolder;
  log: (line: string) => void;
  /** Ends the search, which then rejects. */
  signal?: AbortSignal | undefined;
  wait?: Pick<typeof patience, 'answer' | 'stop'>;
}

/**
 * The broker that somebody left running on the folder, once it answers. Undefined when there is none: never
 * was, is dead, was stopping, or did not answer and was stopped by us.
 */
export async function findRunning({
  folder,
  log,
  signal,
  wait = patience,
}: FindOptions): Promise<Broker | undefined> {
  const left = await readPidFile(folder.path);
  const ports = await readPorts(folder.path);
  if (left === undefined) return undefined;
  for (const since = Date.now(); await servesOn(left.pid, folder.path); await delay(50)) {
    signal?.throwIfAborted();
    if (ports !== undefined && !left.stopping && (await answers(folder, ports.broker))) {
      log(`using the Kafka broker that was left running (process ${left.pid})`);
      return { pid: left.pid, ports, ended: endOf(left.pid, folder.path) };
    }
    if (Date.now() - since > (left.stopping ? wait.stop : wait.answer)) {
      log(`stopping the Kafka broker that was left running (process ${left.pid}): it does not answer`);
      await stopBroker(left.pid, folder.path, wait);
    }
  }
  await rm(pidFile(folder.path), { force: true });
  return undefined;
}

export interface StartOptions {
  folder: BrokerFolder;
  classpath: string;
  /** Of the Java heap. Default 320. */
  heapMb?: number | undefined;
  /** Clients know this one already: no other will do. Default: any that is free, the last one if it is. */
  port?: number;
  /** Told the number of each process that is tried, before it is ready. */
  onSpawn?: (pid: number) => void;
  /** Ends a start that is under way. */
  signal?: AbortSignal | undefined;
}

/** Starts a broker, and resolves when it answers. Rejects with Kafka's last words. */
export async function startBroker(options: StartOptions): Promise<Broker> {
  const { folder, port } = options;
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    const ports = await choosePorts(folder.path, port);
    await writePorts(folder.path, ports);
    await writeFile(settingsFile(folder.path), settingsText(dataOf(folder.path), ports));
    const outcome = await launch(options, ports);
    if (typeof outcome !== 'string') return outcome;
    options.signal?.throwIfAborted();
    // Somebody else was quicker to take a port.
    if (port === undefined && /Address already in use/.test(outcome) && attempt < 5) continue;
    throw new Error(`Kafka did not start: ${lastWords(outcome)} (log: ${logFile(folder.path)})`);
  }
}

/** SIGTERM, and when that takes too long SIGKILL; resolves when the process is gone. */
export async function stopBroker(
  pid: number,
  path: string,
  wait: Pick<typeof patience, 'stop'> = patience,
): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await servesOn(pid, path))) return;
    signalBroker(pid, path, signal);
    for (const since = Date.now(); Date.now() - since < wait.stop; await delay(20)) {
      if (!(await servesOn(pid, path))) return;
    }
  }
  throw new Error(`Kafka (process ${pid}) on ${path} does not stop`);
}

/** Does not wait: this is all that a process which exits can do. It leaves word that the broker is not to be used again. */
export function signalBroker(pid: number, path: string, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
    writeFileSync(pidFile(path), `${pid} stopping\n`);
  } catch {
    // It has ended just now, or somebody has removed its folder.
  }
}

/** Stops what a killed process left running on a folder, if anything. */
export async function stopLeftBroker(path: string): Promise<void> {
  const left = await readPidFile(path);
  if (left !== undefined) await stopBroker(left.pid, path);
}

/** The end of a broker that is no child of ours, which only looking can tell. */
async function endOf(pid: number, path: string): Promise<string> {
  while (await servesOn(pid, path)) await delay(patience.look, undefined, { ref: false });
  return 'has ended';
}

async function launch(options: StartOptions, ports: Ports): Promise<Broker | string> {
  const { folder, classpath, heapMb = 320, onSpawn, signal } = options;
  const output = await open(logFile(folder.path), 'w', 0o600);
  const heap = [`-Xms${Math.min(128, heapMb)}m`, `-Xmx${heapMb}m`];
  const program = [
    'java',
    ...java.flags,
    ...heap,
    mark(folder.path),
    'kafka.Kafka',
    settingsFile(folder.path),
  ];
  // The shell becomes the broker, and says its number before: were it for us to say, a kill -9 in that
  // moment would leave a broker that nobody finds.
  const script = 'echo $$ >"$1" && shift && exec "$@"';
  const child = spawn('/bin/sh', ['-c', script, 'sh', pidFile(folder.path), ...program], {
    cwd: folder.path,
    env: java.environment(classpath),
    // A process group of its own, or the terminal's Ctrl-C would stop it under those who still use it.
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  let end: string | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, killed) => resolve(`ended with ${killed ?? code}`));
  });
  void ended.then((how) => {
    end = how;
  });
  child.unref();
  const { pid } = child;
  if (pid !== undefined) onSpawn?.(pid);
  await output.close();

  for (const since = Date.now(); end === undefined; await delay(30)) {
    const ready = pid !== undefined && !signal?.aborted && (await answers(folder, ports.broker));
    if (ready && end === undefined) return { pid, ports, ended };
    const late = Date.now() - since > patience.start;
    if (pid !== undefined && (late || signal?.aborted)) {
      await stopBroker(pid, folder.path);
      end = late ? `not ready after ${patience.start / 1000} s` : 'told to stop';
    }
  }
  return `${await readFile(logFile(folder.path), 'utf8')}\n${end}`;
}

async function readPidFile(path: string): Promise<{ pid: number; stopping: boolean } | undefined> {
  const text = await readFile(pidFile(path), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return pid > 0 ? { pid, stopping: text.includes('stopping') } : undefined;
}

/** By this in its command line a broker is known to be of this folder. */
const mark = (path: string): string => `-Ddoorstep.data=${path}`;

/** Whether the process runs and was started on this folder. */
async function servesOn(pid: number, path: string): Promise<boolean> {
  return `${await commandLine(pid)} `.includes(` ${mark(path)} `);
}

/** Whether the folder's own broker is at the port, and lets itself be used: it names itself among the living. */
async function answers(folder: BrokerFolder, port: number): Promise<boolean> {
  const admin = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    clientId: 'doorstep-keeper',
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 2000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { clusterId, brokers } = await admin.describeCluster();
    return clusterId === folder.clusterId && brokers.some((broker) => broker.port === port);
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
