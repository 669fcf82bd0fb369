import type { Bus } from '../platform/bus/bus.js';
import { createEmbeddedBus } from '../platform/bus/embedded.js';
import { type Config, databaseUrl } from '../platform/config.js';
import { createKafkaBus } from '../platform/kafka/bus.js';
import type { Log } from '../platform/log.js';

/** The database of the embedded bus. */
export const busDatabase = 'bus';

/** The bus of this process: Kafka where KAFKA_BROKERS says where that is, and otherwise the embedded one, which only a process that runs everything may use. */
export function createBus(config: Config, service: string, log: Log): Bus {
  const { KAFKA_BROKERS: brokers } = config;
  if (!brokers) return createEmbeddedBus({ url: databaseUrl(config, busDatabase), log });
  return createKafkaBus({
    service,
    brokers,
    clientId: config.KAFKA_CLIENT_ID,
    compression: config.KAFKA_COMPRESSION,
    batchSize: config.KAFKA_BATCH_SIZE,
    maxRetries: config.KAFKA_MAX_RETRIES,
    log,
  });
}
