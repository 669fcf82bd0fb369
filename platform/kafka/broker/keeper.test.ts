import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { commandLine } from '../../processes.js';
import { kafkaDataDir } from '../../testing/kafka.js';
import { needs } from '../../testing/needs.js';
import { type Script, startScript } from '../../testing/script.js';
import { findRunning } from './broker.js';
import { dataOf, openFolder, pidFile, settingsFile } from './folder.js';
import { type LocalKafka, type LocalKafkaOptions, startLocalKafka } from './keeper.js';

const run = promisify(execFile);

// Java takes its time to start on a busy machine.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

needs('java', 'mvn')('a local Kafka', () => {
  /** One folder for all tests: formatting takes a second. */
  let dataDir: string;
  let started: LocalKafka[] = [];
  let scripts: Script[] = [];
  let logged: string[] = [];

  beforeAll(async () => {
    dataDir = await kafkaDataDir();
  });
  afterEach(async () => {
    await Promise.all(scripts.map((script) => script.kill()));
    await Promise.all(started.map((kafka) => kafka.stop()));
    scripts = [];
    started = [];
    logged = [];
  });

  async function start(options: Partial<LocalKafkaOptions> = {}): Promise<LocalKafka> {
    const log = (line: string) => void logged.push(line);
    const kafka = await startLocalKafka({ dataDir, log, ...options });
    started.push(kafka);
    return kafka;
  }

  /** A process that starts it, prints its number and address, and stays. */
  async function startElsewhere(afterwards = ''): Promise<{ script: Script; pid: number; brokers: string }> {
    const script = startScript(`
      import { startLocalKafka } from './platform/kafka/broker/keeper.ts';
      setInterval(() => {}, 1000);
      const kafka = await startLocalKafka({ dataDir: ${JSON.stringify(dataDir)}, log: () => {} });
      console.log(kafka.pid, kafka.brokers);
      ${afterwards}`);
    scripts.push(script);
    const [pid, brokers = ''] = (await script.line()).split(' ');
    return { script, pid: Number(pid), brokers };
  }

  const gone = (pid: number) => expect.poll(() => commandLine(pid), { timeout: 20_000 }).toBeUndefined();
  const path = () => join(dataDir, 'kafka');
  const pidInFile = async () => Number.parseInt(await readFile(pidFile(path()), 'utf8').catch(() => ''), 10);

  test('stops without a trace, starts again where it was, and is started again when it is killed', async () => {
    const first = await start();
    expect(await readFile(settingsFile(path()), 'utf8')).toContain(
      `listeners=PLAINTEXT://${first.brokers},CONTROLLER://127.0.0.1:`,
    );
    expect(await commandLine(first.pid)).toContain(` -Ddoorstep.data=${dataDir}/kafka `);
    await expect(start()).rejects.toThrow(`${dataDir}/kafka is in use by process ${process.pid}`);
    await write(first.brokers, 'kept', 3);
    await Promise.all([first.stop(), first.stop()]);
    expect(await commandLine(first.pid)).toBeUndefined();

    const second = await start();
    expect(second.brokers).toBe(first.brokers);
    expect(await written(second.brokers, 'kept')).toBe(3);

    const killed = second.pid;
    process.kill(killed, 'SIGKILL');
    await expect.poll(() => logged, { timeout: 60_000 }).toContain('Kafka runs again');
    expect(logged.join()).toContain('Kafka is gone: it ended with SIGKILL');
    expect(second.pid).not.toBe(killed);
    expect(await written(second.brokers, 'kept')).toBe(3);

    // To be stopped while it is started again must leave none either.
    logged = [];
    process.kill(second.pid, 'SIGKILL');
    await expect.poll(() => logged.join(), { interval: 5 }).toContain('Kafka is gone');
    await second.stop();
    expect(await commandLine(await pidInFile())).toBeUndefined();
    expect(logged).not.toContain('Kafka runs again');
  });

  test('that a killed parent left running is used, and kept from then on', async () => {
    const { script, pid, brokers } = await startElsewhere();
    await write(brokers, 'left', 2);
    await script.kill();

    // It may still answer when it has been told to end: it is not used then, but waited for.
    await writeFile(pidFile(path()), `${pid} stopping\n`);
    const folder = await openFolder(path(), '', () => {});
    const search = findRunning({ folder, log: () => {}, signal: AbortSignal.timeout(1000) });
    await expect(search).rejects.toThrow('timeout');
    await writeFile(pidFile(path()), `${pid}\n`);

    const kafka = await start();
    expect(kafka.pid).toBe(pid);
    expect(kafka.brokers).toBe(brokers);
    expect(logged).toEqual([`using the Kafka broker that was left running (process ${pid})`]);

    process.kill(pid, 'SIGKILL');
    await expect.poll(() => logged, { timeout: 60_000 }).toContain('Kafka runs again');
    expect(kafka.pid).not.toBe(pid);
    expect(await written(brokers, 'left')).toBe(2);
    await kafka.stop();
    expect(await commandLine(kafka.pid)).toBeUndefined();
  });

  test("is out of the reach of the terminal's Ctrl-C, and told to end by a process that exits", async () => {
    const { script, pid } = await startElsewhere(`process.on('SIGINT', () => process.exit(1));
      console.log('listening');`);
    expect(await script.line()).toBe('listening');
    const { stdout } = await run('ps', ['-o', 'pgid=', '-p', String(pid)]);
    expect(Number(stdout)).toBe(pid);
    script.child.kill('SIGINT');
    await gone(pid);
    expect(await readFile(pidFile(path()), 'utf8')).toBe(`${pid} stopping\n`);
  });

  test('whose start is told to end leaves none', { timeout: 30_000 }, async () => {
    const told = new AbortController();
    const starting = start({ signal: told.signal });
    starting.catch(() => undefined);
    const running = async () => (await commandLine(await pidInFile()))?.includes('kafka.Kafka');
    await expect.poll(running, { interval: 5, timeout: 10_000 }).toBe(true);
    const pid = await pidInFile();
    told.abort();
    await expect(starting).rejects.toThrow('aborted');
    expect(await commandLine(pid)).toBeUndefined();
  });

  test('that cannot start says why in one line', async () => {
    const properties = join(dataOf(path()), 'meta.properties');
    const text = await readFile(properties, 'utf8');
    await writeFile(properties, text.replace('node.id=1', 'node.id=7'));
    const message = await start().catch((error: Error) => error.message);
    await writeFile(properties, text);
    expect(message).toMatch(/^Kafka did not start: .*node.id.*$/);
  });
});

async function withAdmin<T>(brokers: string, work: (admin: Admin, kafka: Kafka) => Promise<T>): Promise<T> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  return work(admin, kafka).finally(() => admin.disconnect());
}

const write = (brokers: string, topic: string, count: number): Promise<void> =>
  withAdmin(brokers, async (admin, kafka) => {
    await admin.createTopics({ topics: [{ topic }], waitForLeaders: true });
    const producer = kafka.producer();
    await producer.connect();
    const messages = Array.from({ length: count }, (_, index) => ({ value: `${index}` }));
    await producer.send({ topic, messages, acks: -1 }).finally(() => producer.disconnect());
  });

/** How many messages a topic has. */
const written = (brokers: string, topic: string): Promise<number> =>
  withAdmin(brokers, async (admin) => {
    const [partition] = await admin.fetchTopicOffsets(topic);
    return Number(partition?.high) - Number(partition?.low);
  });
