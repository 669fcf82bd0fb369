import { spawn } from 'node:child_process';
import { open, readFile, realpath, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Running } from '../keeper.js';
import { commandLine, exists } from '../processes.js';
import { type Binaries, environment, type Owner } from './binaries.js';
import type { Cluster } from './cluster.js';

/** A server that runs on a cluster; it may have been started by a process that is long dead. */
export interface Server extends Running {
  port: number;
}

/** How long, in ms, we wait before we become ruder. */
export const patience = {
  /** A server that says it is ready, to answer. */
  answer: 5_000,
  /** One that starts or stops; a start after a crash replays the log first. */
  start: 120_000,
  /** A fast shutdown; open transactions are rolled back at once, but a checkpoint takes its time. */
  stop: 20_000,
  /** Until we look again whether a server that is no child of ours still runs. */
  look: 1_000,
  /** What a killed server left behind, to let go of its shared memory. */
  memory: 10_000,
};

/** A URL for a database of the server. */
export const databaseUrl = (cluster: Cluster, port: number, database: string): string =>
  `postgresql://postgres:${cluster.password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;

/**
 * The server that somebody left running on the cluster, once it answers. Undefined when there is
 * none: never was, is dead, was stopping, or did not answer and was stopped by us.
 */
export async function findRunning(
  cluster: Cluster,
  log: (line: string) => void,
  wait: Pick<typeof patience, 'answer' | 'start' | 'stop'> = patience,
): Promise<Server | undefined> {
  const since = Date.now();
  for (;;) {
    const left = await readPidFile(cluster.directory);
    if (left === undefined || !exists(left.pid)) return undefined;
    if (await answers(cluster, left.port)) {
      log(`using the PostgreSQL server that was left running (process ${left.pid})`);
      return { pid: left.pid, port: left.port, ended: endOf(left.pid, cluster) };
    }
    if (!(await serves(left.pid, cluster.directory))) {
      if (exists(left.pid)) await disown(cluster.directory, left.pid);
      return undefined;
    }
    if (Date.now() - since > (left.status === 'ready' ? wait.answer : wait.start)) {
      log(`stopping the PostgreSQL server that was left running (process ${left.pid}): it does not answer`);
      await stopServer({ pid: left.pid }, cluster, wait);
      return undefined;
    }
    await delay(50);
  }
}

export interface StartOptions {
  cluster: Cluster;
  binaries: Binaries;
  owner: Owner;
  /** Where the server's own log goes; begun anew at each start. A pipe would break when we are killed. */
  logFile: string;
  /** false: fsync and its like are off, and a crash of the machine loses the cluster. */
  durable: boolean;
  choosePort?: () => Promise<number>;
  /** Told the number of each process that is tried, before it is ready. */
  onSpawn?: (pid: number) => void;
}

/** Starts a server on a free port, and resolves when it takes connections. Rejects with PostgreSQL's last words. */
export async function startServer(options: StartOptions): Promise<Server> {
  const { choosePort = freePort } = options;
  const since = Date.now();
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort();
    const outcome = await launch(options, port);
    if (typeof outcome !== 'string') return outcome;
    // The system gave the port to somebody else in the meantime.
    if (/could not bind/.test(outcome) && attempt < 5) continue;
    // The backends of a killed server have not all noticed yet.
    if (/shared memory block/.test(outcome) && Date.now() - since < patience.memory) {
      await delay(100);
      continue;
    }
    throw new Error(`PostgreSQL did not start: ${lastWords(outcome)} (log: ${options.logFile})`);
  }
}

/** Fast shutdown (SIGINT), and when that takes too long a rude one; resolves when the process is gone. */
export async function stopServer(
  { pid }: Pick<Server, 'pid'>,
  { directory }: Cluster,
  wait = { stop: patience.stop },
): Promise<void> {
  // Windows has no signals: there the first one ends the server, which recovers at its next start.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!(await serves(pid, directory))) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    for (const since = Date.now(); Date.now() - since < wait.stop; await delay(20)) {
      if (!(await serves(pid, directory))) return;
    }
  }
  throw new Error(`PostgreSQL (process ${pid}) on ${directory} does not stop`);
}

/** The end of a server that is no child of ours, which only looking can tell. */
async function endOf(pid: number, { directory }: Cluster): Promise<string> {
  while (await serves(pid, directory)) await delay(patience.look, undefined, { ref: false });
  return 'has ended';
}

async function launch(options: StartOptions, port: number): Promise<Server | string> {
  const { cluster, binaries, owner, logFile, onSpawn } = options;
  const output = await open(logFile, 'w', 0o600);
  const child = spawn(binaries.postgres, serverArguments(cluster.directory, port, options.durable), {
    ...owner,
    cwd: cluster.directory,
    env: environment(),
    // A process group of its own, or the terminal's Ctrl-C would stop it under those who still use it.
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  let end: string | undefined;
  let onEnd = (_how: string): void => {};
  const ended = new Promise<string>((resolve) => {
    onEnd = resolve;
  });
  child.once('error', (error) => {
    end = error.message;
  });
  child.once('exit', (code, signal) => {
    end = `ended with ${signal ?? code}`;
    onEnd(end);
  });
  child.unref();
  if (child.pid !== undefined) onSpawn?.(child.pid);
  await output.close();

  for (const since = Date.now(); end === undefined; await delay(20)) {
    const file = await readPidFile(cluster.directory);
    if (end === undefined && child.pid !== undefined && file?.pid === child.pid && file.status === 'ready') {
      return { pid: child.pid, port, ended };
    }
    if (Date.now() - since > patience.start) {
      if (child.pid !== undefined) await stopServer({ pid: child.pid }, cluster);
      end = `not ready after ${patience.start / 1000} s`;
    }
  }
  return `${await readFile(logFile, 'utf8')}\n${end}`;
}

function serverArguments(directory: string, port: number, durable: boolean): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', directory, '-p', String(port), ...flags];
}

/** `postmaster.pid`: process, directory, start time, port, socket directory, address, shared memory, status; a line each. */
async function readPidFile(
  directory: string,
): Promise<{ pid: number; port: number; status: string } | undefined> {
  const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return pid > 0 ? { pid, port, status: lines[7]?.trim() ?? '' } : undefined;
}

/** Whether the process runs and was started on this directory. Where that cannot be read, that it runs. */
async function serves(pid: number, directory: string): Promise<boolean> {
  if (process.platform === 'win32') return exists(pid);
  return `${await commandLine(pid)} `.includes(` -D ${directory} `);
}

async function answers(cluster: Cluster, port: number): Promise<boolean> {
  if (!(port > 0)) return false;
  const connectionString = databaseUrl(cluster, port, 'postgres');
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000, query_timeout: 2000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return (await realpath(rows[0]?.data_directory ?? '')) === (await realpath(cluster.directory));
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * The number in the pid file belongs to another program now, and PostgreSQL would take that for a
 * server of ours. It lets its own parent's number pass; the file itself must stay, since it also says
 * which shared memory to look at before anything is written.
 */
async function disown(directory: string, pid: number): Promise<void> {
  const file = join(directory, 'postmaster.pid');
  const [first, ...rest] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (Number(first) === pid) await writeFile(file, [process.pid, ...rest].join('\n'));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}

/** The end of the server's log, without times and process numbers. */
const lastWords = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-3)
    .map((line) => line.replace(/^.*? UTC \[\d+\] /, ''))
    .join('; ');
