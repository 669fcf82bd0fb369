import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ServiceName, serviceNames } from '../platform/config.js';
import { choosePorts } from '../platform/kafka/broker/folder.js';
import { java } from '../platform/kafka/broker/java.js';
import { kafkaClasspath } from '../platform/kafka/broker/maven.js';
import { migrate } from '../platform/migrate.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../platform/postgres/embedded.js';
import { projectPath } from '../platform/root.js';
import { needs } from '../platform/testing/needs.js';
import { freePort } from '../platform/testing/ports.js';
import { until } from '../platform/testing/until.js';
import { createClient } from './support/client.js';
import {
  type Container,
  checkoutWithSecrets,
  fakeProgram,
  type Process,
  readCompose,
  readDockerfile,
  run,
  start,
  unpackImage,
} from './support/containers.js';
import { temporaryFolder } from './support/process.js';

const parts = ['gateway', ...serviceNames] as const;
type Part = (typeof parts)[number];

const ends: (() => Promise<void>)[] = [];
const onEnd = (end: () => Promise<void>): void => void ends.push(end);
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

let secrets: Record<string, string>;
let containers: Record<string, Container>;
let postgres: EmbeddedPostgres;
beforeAll(async () => {
  secrets = await (await checkoutWithSecrets(onEnd)).secrets();
  containers = readCompose({ ...secrets, DELIVERY_STEP: '20ms' });
  postgres = await startEmbeddedPostgres({
    dataDir: await temporaryFolder(onEnd),
    databases: [],
    durable: false,
  });
  onEnd(postgres.stop);
  const { code, output } = await initDatabases();
  expect({ code, output }).toMatchObject({ code: 0 });
  const superuser = new pg.Client(postgres.url('postgres'));
  await superuser.connect();
  for (const statement of output.trim().split('\n')) await superuser.query(statement);
  await superuser.end();
});

const containerOf = (name: string): Container => {
  const container = containers[name];
  if (!container) throw new Error(`there is no container ${name}`);
  return container;
};

/** What PostgreSQL's container runs on an empty volume; the SQL is printed. */
async function initDatabases(env: Record<string, string> = {}) {
  const bin = await temporaryFolder(onEnd);
  await fakeProgram(
    bin,
    'psql',
    'case "$*" in *ON_ERROR_STOP=1*"--username postgres --dbname postgres") cat ;; esac',
  );
  const PATH = `${bin}:${process.env['PATH']}`;
  return run([projectPath('deploy/postgres/databases.sh')], {
    cwd: bin,
    env: { ...containerOf('postgres').environment, POSTGRES_USER: 'postgres', PATH, ...env },
  });
}

/** The address that the compose file gives to a service, on the embedded server. */
const urlOf = (
  user: string,
  database = user,
  password = secrets[`${user.toUpperCase()}_DATABASE_PASSWORD`],
) => `postgres://${user}:${password}@127.0.0.1:${postgres.port}/${database}`;

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('deploy/postgres/databases.sh', () => {
  test.each(serviceNames)('%s can migrate a database of its own', async (service: ServiceName) => {
    const directory = projectPath('prisma', service, 'migrations');
    const { applied } = await migrate({ url: urlOf(service), directory, service });
    expect(applied.length).toBeGreaterThan(0);
  });

  test.each(serviceNames)(
    '%s sees no database but its own, and has no rights over the server',
    async (user) => {
      const [role] = await query(urlOf(user), 'select * from pg_roles where rolname = current_user');
      expect(role).toMatchObject({
        ...{ rolsuper: false, rolcreaterole: false, rolcreatedb: false },
        ...{ rolreplication: false, rolbypassrls: false },
      });
      for (const other of [...serviceNames, 'postgres', 'template1'].filter((name) => name !== user)) {
        await expect(query(urlOf(user, other), 'select 1'), other).rejects.toThrow(
          `permission denied for database "${other}"`,
        );
      }
    },
  );

  test('passwords are asked for', async () => {
    const url = urlOf('order', 'order', secrets['USER_DATABASE_PASSWORD']);
    await expect(query(url, 'select 1')).rejects.toThrow('password authentication failed');
  });

  test.each([
    ['is missing', ''],
    ['does not fit into a URL', "a'b"],
  ])('nothing is made where a password %s', async (_, EVENT_DATABASE_PASSWORD) => {
    const { code, output } = await initDatabases({ EVENT_DATABASE_PASSWORD });
    expect(code).not.toBe(0);
    expect(output).toContain('EVENT_DATABASE_PASSWORD');
    expect(output).not.toContain('create');
  });
});

needs('java', 'mvn')('the containers, as processes of this machine', () => {
  test('get ready as their health checks say, bring an order to the door, and stop', async () => {
    const dockerfile = readDockerfile();
    const app = await temporaryFolder(onTestFinished);
    await unpackImage(dockerfile, app);
    const kafka = await kafkaContainer();
    const ports = new Map<Part, number>();
    for (const name of parts) ports.set(name, await freePort());
    const url = (name: Part) => `http://127.0.0.1:${ports.get(name)}`;

    /** What the compose file says, on the addresses of this machine. */
    function environmentOf(name: Part): Record<string, string> {
      const moved = (value: string) =>
        parts.reduce(
          (text, part) =>
            text.replaceAll(`http://${part}:${containerOf(part).environment['PORT']}/`, `${url(part)}/`),
          value
            .replace('@postgres:5432/', `@127.0.0.1:${postgres.port}/`)
            .replace('kafka:9092', kafka.brokers),
        );
      const told = Object.entries(containerOf(name).environment).map(([key, value]) => [key, moved(value)]);
      return { ...Object.fromEntries(told), PORT: String(ports.get(name)), METRICS_PORT: '0' };
    }
    const healthOf = (name: Part) =>
      run(containerOf(name).healthcheck.test.slice(1), { cwd: app, env: environmentOf(name) });

    const processes = new Map<Part, Process>();
    function startPart(name: Part): void {
      const [program = '', ...args] = [...dockerfile.entrypoint, ...containerOf(name).command];
      const command = [program.replace(/^\/app/, app), ...args];
      const process = start(command, { cwd: app, env: environmentOf(name) });
      onTestFinished(async () => void (await process.stop('SIGKILL')));
      processes.set(name, process);
    }
    async function answers(name: Part, path: string): Promise<void> {
      const running = processes.get(name);
      const look = async () => {
        if (running?.end() !== undefined) throw new Error(`${name} has ended`);
        return (await fetch(url(name) + path).catch(() => undefined))?.ok;
      };
      await until(`${name} answers 200 at ${path}`, look, 60_000).catch((error: Error) => {
        throw new Error(`${error.message}; it said:\n${running?.output()}`);
      });
    }

    startPart('gateway');
    await answers('gateway', '/health/live');
    expect(await healthOf('gateway')).toMatchObject({ code: 1, output: expect.stringContaining('503') });
    expect(await healthOf('order')).toMatchObject({
      code: 1,
      output: expect.stringContaining('ECONNREFUSED'),
    });
    for (const name of serviceNames) startPart(name);
    for (const name of parts) {
      await answers(name, '/health/ready');
      expect(await healthOf(name)).toMatchObject({ code: 0 });
    }

    const { ask, order } = createClient(url('gateway'));
    const email = 'customer@example.com';
    const { login } = await ask<{ login: { accessToken: string; user: { id: string } } }>(
      `mutation { login(input: { email: "${email}", password: "doorstep-demo" }) { accessToken user { id } } }`,
    );
    const customer = { email, token: login.accessToken, userId: login.user.id, password: '' };
    const id = await order(customer);
    await until('the order is at the door', async () => {
      const query = 'query ($id: ID!) { order(id: $id) { status deliveryStatus } }';
      const answer = await ask<{ order: object }>(query, { id }, customer.token);
      return JSON.stringify(answer.order) === '{"status":"COMPLETED","deliveryStatus":"DELIVERED"}';
    });

    const codes = await Promise.all(parts.map((name) => processes.get(name)?.stop('SIGTERM')));
    expect(codes).toEqual(parts.map(() => 0));
    expect(await healthOf('gateway')).toMatchObject({ code: 1 });
  }, 120_000);
});

/**
 * The broker, started as its image does: a program of Kafka's own makes the settings from the environment and
 * formats the folder. It ends with this process, whatever ends that.
 */
async function kafkaContainer(): Promise<{ brokers: string }> {
  const folder = await temporaryFolder(onTestFinished);
  const at = (name: string) => join(folder, name);
  for (const name of ['defaults', 'mounted', 'settings', 'data']) await mkdir(at(name));
  const { broker, controller } = await choosePorts(folder);
  const moved = (text: string) =>
    text
      .replaceAll('kafka:', '127.0.0.1:')
      .replaceAll(':9092', `:${broker}`)
      .replaceAll(':9093', `:${controller}`)
      .replace('/var/lib/kafka/data', at('data'));
  const told = Object.entries(containerOf('kafka').environment).map(([name, value]) => [name, moved(value)]);
  const env = { ...Object.fromEntries(told), CLASSPATH: await kafkaClasspath({ log() {} }) };
  const folders = { default: 'defaults', mounted: 'mounted', final: 'settings' };
  const where = Object.entries(folders).flatMap(([kind, name]) => [`--${kind}-configs-dir`, at(name)]);
  const setup = ['java', ...java.flags, 'kafka.docker.KafkaDockerWrapper', 'setup', ...where];
  expect(await run(setup, { cwd: folder, env })).toMatchObject({ code: 0 });

  const program = ['java', ...java.flags, ...(env['KAFKA_HEAP_OPTS'] ?? '').split(' '), 'kafka.Kafka'];
  const script = '"$@" & read -r line; kill -9 $!; wait';
  const process = start(['/bin/sh', '-c', script, 'sh', ...program, at('settings/server.properties')], {
    cwd: folder,
    env,
  });
  onTestFinished(async () => void (await process.stop()));
  return { brokers: `127.0.0.1:${broker}` };
}
