import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Call, type CallerOptions, createCaller } from '../calls/caller.js';
import { metrics } from '../metrics.js';
import { silent } from './log.js';

const running: (() => Promise<unknown>)[] = [];

/** Stops the parts of a test, and their callers, in the order in which they were begun. */
export async function stopParts(): Promise<void> {
  for (const stop of running.splice(0)) await stop();
}

export const query: Call = { method: 'POST', headers: {}, body: '{}', safe: true };
export const mutation: Call = { ...query, safe: false };

/** Listens on a port, a free one unless told, and answers it. */
export async function listen(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  running.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A caller with numbers of its own. */
export function callerOf(port: number, options: Partial<CallerOptions> = {}) {
  const part = randomUUID();
  const caller = createCaller({
    part,
    url: `http://127.0.0.1:${port}/graphql?a=b`,
    timeoutMs: 10_000,
    log: silent,
    ...options,
  });
  running.push(caller.close);
  const read = async (
    metric: 'calls' | 'callRetries' | 'callRetriesExhausted' | 'callsUnderWay' | 'circuit',
    outcome?: string,
  ) => {
    const { values } = await metrics[metric].get();
    return (
      values.find(
        (value) => value.labels.part === part && (value.labels as { outcome?: string }).outcome === outcome,
      )?.value ?? 0
    );
  };
  return {
    caller,
    call: (call: Call = query) => caller.call(call),
    outcomes: (outcome: string) => read('calls', outcome),
    retries: () => read('callRetries'),
    exhausted: () => read('callRetriesExhausted'),
    underWay: () => read('callsUnderWay'),
    circuit: () => read('circuit'),
    async durations() {
      const { values } = await metrics.callDuration.get();
      return (
        values.find(({ metricName, labels }) => metricName?.endsWith('_count') && labels.part === part)
          ?.value ?? 0
      );
    },
  };
}

/** A part that answers like this, the requests that it got, and its caller. */
export async function partOf(listener: RequestListener, options: Partial<CallerOptions> = {}) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    listener(request, response);
  });
  return { ...callerOf(await listen(server), options), requests: () => requests };
}
