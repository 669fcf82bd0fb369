import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { ensureDataDir } from '../data-dir.js';
import { type Broker, signalBroker, startBroker } from '../kafka/broker/broker.js';
import { openFolder } from '../kafka/broker/folder.js';
import { kafkaClasspath } from '../kafka/broker/maven.js';
import type {} from './global-setup.js';

/** The Kafka broker of the test run, started when the first test asks. Topics are the caller's to name and make. */
export async function testKafka(): Promise<{ brokers: string }> {
  const response = await fetch(inject('kafkaUrl'));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return { brokers: text };
}

export interface OwnKafka {
  /** host:port, the same after a kill and a start. */
  brokers: string;
  /** SIGKILL; resolves when the process is gone. Nothing starts it again but `start`. */
  kill(): Promise<void>;
  /** Resolves when it answers, with all it had on disk: some 5 s, since it waits for its last session to end. */
  start(): Promise<void>;
}

/** A broker of one test's own, for a test that kills it. `onEnd` is told how it goes. */
export async function ownKafka(onEnd: (end: () => Promise<void>) => void): Promise<OwnKafka> {
  const log = () => {};
  const path = await ensureDataDir(join(await kafkaDataDir(), 'kafka'));
  const classpath = await kafkaClasspath({ log });
  const folder = await openFolder(path, classpath, log);
  const first = await startBroker({ folder, classpath });
  const port = first.ports.broker;
  let broker: Broker | undefined = first;
  const kill = async () => {
    if (broker === undefined) return;
    signalBroker(broker.pid, path, 'SIGKILL');
    await broker.ended;
    broker = undefined;
  };
  onEnd(kill);
  return {
    brokers: `127.0.0.1:${port}`,
    kill,
    async start() {
      broker ??= await startBroker({ folder, classpath, port });
    },
  };
}

/** A data directory that goes with the test run, and any broker on it as well. */
export const kafkaDataDir = (): Promise<string> => mkdtemp(join(inject('runFolder'), 'kafka-'));
