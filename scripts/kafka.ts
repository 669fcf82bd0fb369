/**
 * A Kafka broker on this machine, for a Doorstep that runs beside it: `npm run kafka`. Prints one line,
 * KAFKA_BROKERS=host:port, when it is ready, and stops on Ctrl-C. Its data is in DATA_DIR/kafka, where the next
 * one finds it. Needs Java and Maven, and the network once.
 */
import { existsSync } from 'node:fs';
import { loadConfig } from '../platform/config.js';
import { startLocalKafka } from '../platform/kafka/broker/keeper.js';

if (existsSync('.env')) process.loadEnvFile('.env');
const { DATA_DIR: dataDir } = loadConfig(process.env, { services: [], alone: true });

const told = new AbortController();
const end = new Promise((resolve) => told.signal.addEventListener('abort', resolve));
// The broker is no reason for this process to stay, nor is a signal that may come.
const staying = setInterval(() => {}, 60_000);
// A Ctrl-C arrives twice, from the terminal and passed on by npm: what comes after the first changes nothing.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => told.abort());

try {
  const kafka = await startLocalKafka({
    dataDir,
    log: (line, level) => {
      if (level !== 'debug') console.error(line);
    },
    signal: told.signal,
  });
  if (!told.signal.aborted) console.log(`KAFKA_BROKERS=${kafka.brokers}`);
  await end;
  await kafka.stop();
} catch (error) {
  if (!told.signal.aborted) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
clearInterval(staying);
