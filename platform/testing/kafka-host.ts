import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stopLeftBroker } from '../kafka/broker/broker.js';
import { type LocalKafka, startLocalKafka } from '../kafka/broker/keeper.js';

/**
 * Starts a Kafka broker for a whole test run when a test first asks for it: most runs of one file need none.
 * Test files run in processes of their own, so they ask over HTTP; see kafka.ts. A GET answers the brokers'
 * address, or 500 and why there is none.
 */
export async function hostKafka(dataDir: string): Promise<{ url: string; stop(): Promise<void> }> {
  const stopped = new AbortController();
  const said: string[] = [];
  let starting: Promise<LocalKafka> | undefined;
  const start = () =>
    (starting ??= startLocalKafka({ dataDir, log: (line) => said.push(line), signal: stopped.signal }));

  const server = createServer((_, response) => {
    start().then(
      ({ brokers }) => response.end(brokers),
      (error: Error) => response.writeHead(500).end([...said, error.message].join('\n')),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      stopped.abort();
      server.close();
      server.closeAllConnections();
      const broker = await starting?.catch(() => undefined);
      await broker?.stop();
    },
  };
}

/** Stops the brokers that killed processes of a test run have left: the run's, and those of single tests. */
export async function stopLeftBrokers(runFolder: string): Promise<void> {
  const entries = await readdir(runFolder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(runFolder, name));
  for (const folder of [runFolder, ...folders]) await stopLeftBroker(join(folder, 'kafka'));
}
