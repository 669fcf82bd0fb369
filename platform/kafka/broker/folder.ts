import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { java, lastWords } from './java.js';

const run = promisify(execFile);
const UNFINISHED = /^data\.format-/;

/** The files of one broker: `data`, what it runs with, and what it says. */
export interface BrokerFolder {
  path: string;
  clusterId: string;
}

/** Of 127.0.0.1. */
export interface Ports {
  broker: number;
  controller: number;
}

export const dataOf = (path: string): string => join(path, 'data');
export const settingsFile = (path: string): string => join(path, 'server.properties');
export const logFile = (path: string): string => join(path, 'kafka.log');
export const pidFile = (path: string): string => join(path, 'pid');
const portsFile = (path: string): string => join(path, 'ports.json');

/**
 * Finds the formatted data in the folder, or makes it. The format tool works in a folder beside it that is
 * renamed when all is done: what carries the final name is complete, whenever we were killed.
 */
export async function openFolder(
  path: string,
  classpath: string,
  log: (line: string) => void,
): Promise<BrokerFolder> {
  for (const name of await readdir(path)) {
    // A format that outlived its parent may be writing there yet: names are not used again.
    if (UNFINISHED.test(name)) await rm(join(path, name), { recursive: true, force: true, maxRetries: 5 });
  }
  const kept = await clusterIdOf(dataOf(path));
  if (kept !== undefined) return { path, clusterId: kept };
  await setAside(dataOf(path), log);
  log('formatting a folder for Kafka');
  const clusterId = newClusterId();
  await format(path, clusterId, classpath);
  return { path, clusterId };
}

/** `meta.properties` is written by the format, and says whose data this is. */
async function clusterIdOf(data: string): Promise<string | undefined> {
  const text = await readFile(join(data, 'meta.properties'), 'utf8').catch(() => '');
  return /^cluster\.id=(\S+)$/m.exec(text)?.[1];
}

/** Whatever else has the data's name is kept, for we did not make it. */
async function setAside(data: string, log: (line: string) => void): Promise<void> {
  await rmdir(data).catch(() => {});
  const aside = `${data}.broken-${Date.now()}`;
  await rename(data, aside).then(
    () => log(`${data} was no formatted folder of Kafka: moved to ${aside}`),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    },
  );
}

async function format(path: string, clusterId: string, classpath: string): Promise<void> {
  const work = join(path, `data.format-${randomBytes(6).toString('hex')}`);
  await mkdir(work, { mode: 0o700 });
  const settings = join(work, 'server.properties');
  try {
    await writeFile(settings, settingsText(dataOf(work), { broker: 9092, controller: 9093 }));
    await mkdir(dataOf(work), { mode: 0o700 });
    const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', settings];
    await run('java', [...java.flags, ...tool], { env: java.environment(classpath) });
    await rename(dataOf(work), dataOf(path));
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`Kafka's folder could not be formatted: ${lastWords(stderr || message)}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** 16 random bytes in URL-safe base64, the first not a dash: the tool would take that for an option. */
function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('base64url');
}

/** One node that is broker and controller, for a machine of few resources and clients that are all on it. */
export function settingsText(data: string, ports: Ports): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
    'log.dirs': data,
    'auto.create.topics.enable': false,
    // There is no second node to copy to.
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // 50 each by default: so many files to open at a start after a kill.
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.num.partitions': 3,
    'share.coordinator.state.topic.num.partitions': 3,
    // A group's first member would wait 3 s for others.
    'group.initial.rebalance.delay.ms': 0,
    // What a group commits would wait for more to write with: 16 to 28 ms a round trip instead of 1.
    'group.coordinator.append.linger.ms': 0,
    // A killed broker's session must end before the next one is let in: 12 to 17 s by default. The heartbeat
    // leaves room for a machine that is busy.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}

/** The ports that the folder's broker had last. */
export async function readPorts(path: string): Promise<Ports | undefined> {
  const text = await readFile(portsFile(path), 'utf8').catch(() => '');
  const [broker, controller] = [/"broker":(\d+)/, /"controller":(\d+)/].map((port) => port.exec(text)?.[1]);
  return broker && controller ? { broker: Number(broker), controller: Number(controller) } : undefined;
}

export async function writePorts(path: string, ports: Ports): Promise<void> {
  const mine = `${portsFile(path)}.new`;
  await writeFile(mine, JSON.stringify(ports));
  await rename(mine, portsFile(path));
}

/** The ports that the folder's broker had last, where they are free, else others. A broker's port that is given stays. */
export async function choosePorts(path: string, given?: number): Promise<Ports> {
  const last = await readPorts(path);
  const broker = given ?? (await freePort(last?.broker));
  return { broker, controller: await freePort(last?.controller, broker) };
}

/**
 * A port below those that systems lend to outgoing connections (from 32768 on, or higher). One of those could
 * be lent to a client while the broker is away, even to one that tries to connect to that very port.
 */
async function freePort(wanted: number | undefined, other?: number): Promise<number> {
  if (wanted !== undefined && wanted !== other && (await isFree(wanted))) return wanted;
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (port !== other && (await isFree(port))) return port;
  }
  throw new Error('no free port on 127.0.0.1 between 20000 and 32000');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (listening) await new Promise((resolve) => server.close(resolve));
  return listening;
}
