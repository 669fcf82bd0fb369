import { busContract } from '../testing/bus-contract.js';
import { testKafka } from '../testing/kafka.js';
import { testBus, testBusInScript } from '../testing/kafka-bus.js';
import { needs } from '../testing/needs.js';

needs('java', 'mvn')('on a real broker', () => {
  busContract('Kafka', async () => {
    const brokers = [(await testKafka()).brokers];
    return {
      open: () => testBus({ brokers }),
      openInScript: testBusInScript({ brokers }),
      // Topics and groups are the tests' own, by name, and go with the broker.
      destroy: async () => undefined,
    };
  });
});
