import type { DeadLetter, DeadLetters } from '../platform/bus/bus.js';
import { embeddedSchema, listDeadLetters, replayDeadLetters } from '../platform/bus/embedded-tables.js';
import type { Config } from '../platform/config.js';
import { createLog } from '../platform/log.js';
import { openDatabase } from '../platform/postgres/database.js';
import { busDatabase, createBus } from './bus.js';
import { reachDatabases } from './own-servers.js';

export interface DeadLetterOptions {
  command: 'list' | 'replay';
  topic: string | undefined;
  /** So many at most. */
  first: number;
  /** Whether the events themselves are printed too: they may hold addresses. */
  values: boolean;
  print: (line: string) => void;
}

/** Lists dead letters, a line each, or hands them to their group again; of Kafka, or of the embedded bus. */
export async function runDeadLetters(config: Config, options: DeadLetterOptions): Promise<void> {
  const { command, topic, first, values, print } = options;
  const { letters, close } = await open(config);
  try {
    if (command === 'replay') {
      const replayed = await letters.replayDeadLetters({ first, ...(topic !== undefined && { topic }) });
      return print(`${replayed} replayed`);
    }
    const found = await letters.deadLetters(topic);
    for (const letter of found.slice(0, first)) print(lineOf(letter, values));
    print(`${found.length} in all`);
  } finally {
    await close();
  }
}

const lineOf = ({ topic, group, at, key, reason, value }: DeadLetter, values: boolean): string =>
  [topic, group, at.toISOString(), key, reason, ...(values ? [value] : [])]
    // Strangers write them: nothing of it may steer a terminal, or fill it.
    .map((part) => part.replaceAll(/[\s\p{C}]+/gu, ' ').slice(0, 1_000))
    .join('  ');

async function open(config: Config): Promise<{ letters: DeadLetters; close(): Promise<void> }> {
  if (config.KAFKA_BROKERS) {
    const log = createLog({ level: 'silent', format: config.LOG_FORMAT, app: config.APP_NAME });
    const bus = createBus(config, 'dead-letters', log);
    return { letters: bus, close: () => bus.stop() };
  }
  const { url, close } = await reachDatabases(config);
  const database = openDatabase({ url: url(busDatabase), service: 'bus' });
  await database.query(embeddedSchema);
  return {
    letters: {
      deadLetters: (topic) => listDeadLetters(database, topic),
      replayDeadLetters: (which) => replayDeadLetters(database, which),
    },
    async close() {
      await database.close();
      await close();
    },
  };
}
