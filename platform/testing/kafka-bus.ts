import type { Bus } from '../bus/bus.js';
import { createKafkaBus, type KafkaBusOptions } from '../kafka/bus.js';
import { silent } from './log.js';

type Options = Partial<KafkaBusOptions> & Pick<KafkaBusOptions, 'brokers'>;

/** A bus as a service has it, but that the broker sees sooner when it is gone. */
const inTests = (options: Options): Omit<KafkaBusOptions, 'log'> => ({
  service: 'test',
  clientId: 'test',
  compression: 'snappy',
  batchSize: 100,
  maxRetries: 3,
  sessionTimeoutMs: 6_000,
  ...options,
});

export const testBus = (options: Options): Bus => createKafkaBus({ log: silent, ...inTests(options) });

/** TypeScript that ends with `const bus = ...`, for another process (see script.ts). */
export const testBusInScript = (options: Options): string => `
  import { createKafkaBus } from './platform/kafka/bus.ts';
  import { createLog } from './platform/log.ts';
  const log = createLog({ level: 'silent', format: 'json', app: 'test' });
  const bus = createKafkaBus({ ...${JSON.stringify(inTests(options))}, log });
`;
