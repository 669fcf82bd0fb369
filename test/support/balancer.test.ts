import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../platform/testing/ports.js';
import { until } from '../../platform/testing/until.js';
import { startBalancer } from './balancer.js';

/** Says its name to who connects, then what it is told; answers how many are connected. */
async function startReplica(name: string): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.write(name);
    socket.pipe(socket);
  });
  const port = await freePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, sockets };
}

async function greeting(port: number): Promise<{ socket: Socket; text: string }> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const [text] = await once(socket, 'data');
  return { socket, text: String(text) };
}

test('each connection goes to a replica that is in rotation, and to another one where that refuses', async () => {
  const [a, b] = [await startReplica('a'), await startReplica('b')];
  const nobody = await freePort();
  const balancer = await startBalancer([a.port, nobody]);
  onTestFinished(() => balancer.close());
  for (let n = 0; n < 20; n++) expect((await greeting(balancer.port)).text).toBe('a');
  balancer.replicas.delete(nobody);
  balancer.replicas.add(b.port);
  const seen = new Set<string>();
  await until('both have been met', async () => {
    seen.add((await greeting(balancer.port)).text);
    return seen.size === 2;
  });
  balancer.replicas.delete(a.port);
  for (let n = 0; n < 20; n++) expect((await greeting(balancer.port)).text).toBe('b');
});

test('what goes through it is carried both ways, and can be cut', async () => {
  const replica = await startReplica('a');
  const balancer = await startBalancer([replica.port]);
  onTestFinished(() => balancer.close());
  const { socket } = await greeting(balancer.port);
  socket.write('hello');
  expect(String((await once(socket, 'data'))[0])).toBe('hello');
  const closed = once(socket, 'close');
  expect(balancer.cut(0)).toBe(0);
  expect(balancer.cut()).toBe(1);
  await closed;
  await until('the replica is left too', () => replica.sockets.size === 0);
});

test('where nobody takes it, a connection is closed', async () => {
  const balancer = await startBalancer([await freePort()]);
  onTestFinished(() => balancer.close());
  const socket = connect(balancer.port, '127.0.0.1');
  await once(socket, 'close');
});
