/**
 * Sends requests over connections that stay open, one under way on each, and remembers how long every one took.
 * Told by messages what to do, one at a time (Order); answers each with a Tally. Connections are opened anew for
 * each order: a server may close those that nobody used meanwhile.
 */
import { connect } from 'node:net';
import { messageReader } from '../http1.js';
import type { LoadOrder, Tally } from '../load.js';

function run(order: LoadOrder): Promise<Tally> {
  const { port, headers, bodies, lengths, connections, seconds } = order;
  const requests = bodies.map((body) => requestBytes(port, headers, body));
  const times: number[] = [];
  let next = 0;
  let over = false;

  const client = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let at = 0;
      let began = 0;
      const send = () => {
        at = next;
        next = (next + 1) % requests.length;
        began = performance.now();
        socket.write(requests[at] as Buffer);
      };
      const reader = messageReader((head, body) => {
        if (!head.startsWith('HTTP/1.1 200') || body.length !== lengths[at]) {
          const text = body.toString().slice(0, 500);
          throw new Error(`an answer of ${body.length} bytes, not ${lengths[at]}:\n${head}\n\n${text}`);
        }
        times.push(performance.now() - began);
        if (over) {
          socket.end();
          resolve();
          return;
        }
        if (/\r\nconnection: *close/i.test(head)) throw new Error(`it closes connections:\n${head}`);
        send();
      });
      socket.on('connect', send);
      socket.on('data', (bytes) => {
        try {
          reader(bytes);
        } catch (error) {
          reject(error);
        }
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('a connection was closed')));
    });

  setTimeout(() => {
    over = true;
  }, seconds * 1_000);
  const beganAt = performance.now();
  return Promise.all(Array.from({ length: connections }, client)).then(() => {
    const tookMs = performance.now() - beganAt;
    const sorted = Float64Array.from(times).sort();
    const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
    return { count: times.length, seconds: tookMs / 1_000, p50Ms: at(0.5), p99Ms: at(0.99) };
  });
}

function requestBytes(port: number, headers: Record<string, string>, body: string): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join('')}content-length: ${length}\r\n\r\n${body}`,
  );
}

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (tally) => process.send?.(tally),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
