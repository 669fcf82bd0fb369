import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../../bell.js';
import { backoff } from '../../bus/bus.js';
import { ensureDataDir, lockDataDir } from '../../data-dir.js';
import {
  type Broker,
  findRunning,
  type StartOptions,
  signalBroker,
  startBroker,
  stopBroker,
} from './broker.js';
import { openFolder } from './folder.js';
import { type BrokerLog, kafkaClasspath } from './maven.js';

export interface LocalKafka {
  /** host:port of the one broker; the same for as long as it is kept. */
  brokers: string;
  /** Of the broker that runs; while it is started again, of the one that was. */
  readonly pid: number;
  /** Stops the broker, whoever started it, and resolves when its process is gone. */
  stop(): Promise<void>;
}

export interface LocalKafkaOptions {
  /** The broker's files are in `kafka` under it, which is locked: no other process may use it at the same time. */
  dataDir: string;
  log: BrokerLog;
  /** Ends the start. A broker that has been started is ended by `stop` alone. */
  signal?: AbortSignal;
  /** Of the Java heap. Default 320. */
  heapMb?: number;
}

/** A broker that ran for this long, in ms, was sound: when it ends, the next one is started at once. */
const soundMs = 60_000;

/**
 * Starts a Kafka broker that belongs to a data directory, on free ports of 127.0.0.1 that it keeps from one
 * start to the next. The first start on a machine fetches Kafka by Maven. A broker that a killed process left
 * running there is taken over, or stopped if it does not answer. Rejects with one line that says what to do.
 *
 * One that ends before `stop` is started again on its port, with what it had on disk. When this process exits
 * without having called that, it is told to stop (a kill -9 leaves it running, for the next start to find).
 */
export async function startLocalKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  const { log, signal, heapMb } = options;
  const classpath = await kafkaClasspath({ log, signal });
  const path = await realpath(await ensureDataDir(join(options.dataDir, 'kafka')));
  const unlock = await lockDataDir(path);
  try {
    const folder = await openFolder(path, classpath, (line) => log(line, 'debug'));
    signal?.throwIfAborted();
    const kept = await keepBroker({ folder, classpath, heapMb, signal, log });
    return {
      brokers: `127.0.0.1:${kept.port}`,
      get pid() {
        return kept.pid();
      },
      stop: async () => {
        await kept.stop();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

interface KeptBroker {
  port: number;
  pid(): number;
  stop(): Promise<void>;
}

/** Takes over the broker that runs on the folder, or starts one, and starts it again whenever it ends before `stop`. */
async function keepBroker(
  options: Omit<StartOptions, 'port' | 'onSpawn'> & { log: BrokerLog },
): Promise<KeptBroker> {
  const { folder, log } = options;
  const stopped = new AbortController();
  /** Of the broker that runs, or that is starting. */
  let pid: number | undefined;
  let last = 0;
  let starts = 0;
  let startedAt = 0;
  let restarting = Promise.resolve();

  async function begin(place: Pick<StartOptions, 'port' | 'signal'>): Promise<Broker> {
    starts += 1;
    const left = await findRunning({ folder, log: (line) => log(line, 'debug'), signal: place.signal });
    const onSpawn = (spawned: number) => {
      pid = spawned;
    };
    const broker = left ?? (await startBroker({ ...options, ...place, onSpawn }));
    void broker.ended.then(onEnd);
    pid = last = broker.pid;
    startedAt = Date.now();
    return broker;
  }

  function onEnd(how: string): void {
    if (stopped.signal.aborted) return;
    pid = undefined;
    log(`Kafka is gone: it ${how}; it is started again`, 'error');
    if (Date.now() - startedAt > soundMs) starts = 0;
    restarting = restart();
  }

  async function restart(): Promise<void> {
    for (;;) {
      // The first end in a while is answered at once.
      if (starts > 1) await pause(backoff(starts - 1, { firstMs: 200, capMs: 10_000 }), stopped.signal);
      if (stopped.signal.aborted) return;
      try {
        await begin({ port, signal: stopped.signal });
        return log('Kafka runs again', 'info');
      } catch (error) {
        pid = undefined;
        if (!stopped.signal.aborted) log(error instanceof Error ? error.message : String(error), 'error');
      }
    }
  }

  function interrupt(): void {
    if (pid !== undefined) signalBroker(pid, folder.path, 'SIGTERM');
  }

  async function stop(): Promise<void> {
    stopped.abort();
    await restarting;
    if (pid !== undefined) await stopBroker(pid, folder.path);
    process.off('exit', interrupt);
  }

  process.once('exit', interrupt);
  const {
    ports: { broker: port },
  } = await begin({ signal: options.signal }).catch((error: unknown) => {
    process.off('exit', interrupt);
    throw error;
  });
  let stopping: Promise<void> | undefined;
  return { port, pid: () => last, stop: () => (stopping ??= stop()) };
}
