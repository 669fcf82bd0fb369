import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { runDoorstep, temporaryFolder } from './support/process.js';

test.each([
  [{ PORT: 'http' }, 'PORT takes a whole number'],
  [{ DELIVERY_STEP: '2 seconds' }, 'DELIVERY_STEP takes a duration'],
  [{ DATABASE_URL: 'mysql://localhost' }, 'DATABASE_URL takes a postgres:// URL'],
  [{ DEMO_DATA: 'yes' }, 'DEMO_DATA takes on or off'],
  [{ DEMO_DATA: 'on', NODE_ENV: 'production' }, 'DEMO_DATA must be off'],
  [{ NODE_ENV: 'production', DEMO_DATA: 'off' }, 'JWT_PRIVATE_KEY must be set'],
  [{ JWT_PRIVATE_KEY: 'secret' }, 'JWT_PRIVATE_KEY takes an Ed25519 private key'],
  [{ USER_DATABASE_URL: 'postgres://localhost/user' }, 'ORDER_DATABASE_URL, PAYMENT_DATABASE_URL'],
])('a wrong environment stops the start with one line that names it: %o', async (env, line) => {
  const { ended, output } = runDoorstep([], { DATA_DIR: await temporaryFolder(onTestFinished), ...env });
  expect(await ended).toBe(1);
  expect(output()).toContain(line);
  expect(
    output()
      .trim()
      .split('\n')
      .filter((text) => text.startsWith('doorstep: ')),
  ).toHaveLength(1);
});

test('a wrong command is answered with what there is', async () => {
  const { ended, output } = runDoorstep(['everything'], {});
  expect(await ended).toBe(1);
  expect(output()).toContain("there is no command 'everything'");
  expect(output()).toContain('migrate up|down|status');
});

test('it announces where everything is, refuses a second process on its data, and stops cleanly', async () => {
  const DATA_DIR = await temporaryFolder(onTestFinished);
  const first = runDoorstep([], { DATA_DIR });
  onTestFinished(() => void first.child.kill('SIGKILL'));
  const url = await first.ready;
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  expect(first.output()).toContain('customer@example.com');
  const metricsUrl = /Metrics +(\S+)/.exec(first.output())?.[1] ?? '';
  expect(await (await fetch(metricsUrl)).text()).toContain('http_requests_total');

  const second = runDoorstep([], { DATA_DIR });
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(String(first.child.pid));

  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  await expect(fetch(`${url}/health/live`)).rejects.toThrow();

  const third = runDoorstep(['migrate', 'status'], { DATA_DIR });
  expect(await third.ended).toBe(0);
  expect(third.output()).toContain('order: 20261121000100_order applied');
});

test('a port that is taken is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const PORT = String((server.address() as AddressInfo).port);
  const { ended, output } = runDoorstep([], { DATA_DIR: await temporaryFolder(onTestFinished), PORT });
  expect(await ended).toBe(1);
  expect(output()).toContain(`port ${PORT} of 127.0.0.1 is taken`);
});
