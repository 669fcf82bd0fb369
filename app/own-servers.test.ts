import { expect, test } from 'vitest';
import { loadConfig } from '../platform/config.js';
import { isAlone } from './own-servers.js';

test('a process that runs everything keeps rows to itself only where no other can write them', () => {
  const of = (env: Record<string, string>) => isAlone(loadConfig(env));
  const DATABASE_URL = 'postgres://db.example/';
  const KAFKA_BROKERS = 'kafka.example:9092';
  // DATA_DIR is locked, and so is the embedded bus.
  expect(of({})).toBe(true);
  expect(of({ KAFKA_BROKERS })).toBe(true);
  expect(of({ DATABASE_URL })).toBe(true);
  // Another of its kind, or a service by itself, may run on the same databases.
  expect(of({ DATABASE_URL, KAFKA_BROKERS })).toBe(false);
});
