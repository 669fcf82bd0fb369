import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDataDir, lockDataDir } from '../../data-dir.js';
import { type KeeperLog, keep } from '../../keeper.js';
import { type Broker, findRunning, signalBroker, startBroker, stopBroker } from './broker.js';
import { openFolder } from './folder.js';
import { kafkaClasspath } from './maven.js';

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
  log: KeeperLog;
  /** Ends the start. A broker that has been started is ended by `stop` alone. */
  signal?: AbortSignal;
  /** Of the Java heap. Default 320. */
  heapMb?: number;
}

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
    const kept = await keep<Broker>({
      name: 'Kafka',
      log,
      async start({ first, onSpawn, signal: ending = signal }) {
        const left = await findRunning({ folder, log: (line) => log(line, 'debug'), signal: ending });
        const port = first && { port: first.ports.broker };
        return left ?? startBroker({ folder, classpath, heapMb, signal: ending, onSpawn, ...port });
      },
      interrupt: (pid) => signalBroker(pid, folder.path, 'SIGTERM'),
      stop: (pid) => stopBroker(pid, folder.path),
    });
    return {
      brokers: `127.0.0.1:${kept.first.ports.broker}`,
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
