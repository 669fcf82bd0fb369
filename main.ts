import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { MigrationCommand } from './app/migrations.js';
import { needsOf } from './app/needs.js';
import type { Running } from './app/running.js';
import { demoPassword, demoUsers } from './events/demo.js';
import { type Config, loadConfig, serviceNames } from './platform/config.js';
import { StoppedError } from './platform/lifecycle.js';
import { createLog, type Log } from './platform/log.js';

const usage = `usage: doorstep [command]

  all [--kafka]                      everything in one process (the default), with a Kafka broker of its own
  gateway                            the gateway alone, for any supergraph
  user | order | payment | delivery | event
                                     one service alone; start them and the gateway in any order
  migrate up|down|status [service]   the databases' migrations
  create-admin --email a@example.com [--first-name A] [--last-name B] [--password-stdin] [--promote]
                                     an account of role ADMIN: the password is read, or made and printed once;
                                     --promote makes one of an account that is there
  dead-letters [list|replay] [topic] [--first N] [--values]
                                     events that failed for good: list them, or hand them to their group again

The environment is described in .env.example.`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main([command = 'all', ...rest]: string[]): Promise<void> {
  if (command === 'help' || command === '--help') return print(usage);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const { env } = process;
  // The programs are loaded only once the environment is known to be right: a wrong one is told at once.
  if (command === 'all') {
    const kafka = flags(rest, '--kafka').has('--kafka');
    const config = loadConfig(env);
    const { startAll } = await import('./app/all.js');
    return serve(config, (log, told) => startAll(config, log, told, { kafka }));
  }
  if (command === 'migrate') return migrations(rest);
  if (command === 'dead-letters') return deadLetters(rest);
  if (command === 'create-admin') return admin(rest);
  const service = serviceNames.find((name) => name === command);
  if (service) {
    flags(rest);
    const config = loadConfig(env, { services: [service], alone: true });
    needsOf(service, config);
    const { startServiceAlone } = await import('./app/service.js');
    return serve(config, (log, told) => startServiceAlone(service, config, log, told));
  }
  if (command === 'gateway') {
    flags(rest);
    const config = loadConfig(env, { services: [], alone: true });
    const { startGatewayAlone } = await import('./app/gateway.js');
    return serve(config, (log, told) => startGatewayAlone(config, log, told));
  }
  throw new Error(`there is no command '${command}'\n\n${usage}`);
}

function flags(given: string[], ...known: string[]): Set<string> {
  const wrong = given.find((flag) => !known.includes(flag));
  if (wrong !== undefined) throw new Error(`there is no '${wrong}' here\n\n${usage}`);
  return new Set(given);
}

/** A Ctrl-C arrives twice, from the terminal and passed on by npm; what comes so soon after is the same. */
const sameSignalMs = 1_000;

type Start = (log: Log, told: AbortSignal) => Promise<Running>;

/**
 * Starts, prints where everything is once all of it is ready, and stops on a signal, at whatever point it
 * comes. A second one ends the process at once; the embedded PostgreSQL has a hook for that.
 */
async function serve(config: Config, start: Start): Promise<void> {
  const log = createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, app: config.APP_NAME });
  const told = new AbortController();
  let toldAt = 0;
  let running: Running | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (told.signal.aborted) {
        if (Date.now() - toldAt > sameSignalMs) process.exit(1);
        return;
      }
      toldAt = Date.now();
      log.info({ signal }, 'stopping');
      told.abort();
      void running?.stop().then(end);
    });
  }
  try {
    running = await start(log, told.signal);
  } catch (error) {
    if (error instanceof StoppedError) return end(error.clean);
    throw error;
  }
  if (told.signal.aborted) return end(await running.stop());
  await ready(running.url, told.signal);
  if (!told.signal.aborted) announce(running);
}

const end = (clean: boolean): never => process.exit(clean ? 0 : 1);

/** Waits until /health/ready says so. */
async function ready(url: string, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const response = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** In one piece: who reads it has all of it, or nothing yet. */
function announce({ url, page, keys, demoAccounts, metricsUrl }: Running): void {
  const lines = [
    `GraphQL     ${url}/graphql${page ? ' (a browser gets GraphiQL)' : ''}`,
    `WebSocket   ${url.replace(/^http/, 'ws')}/graphql (graphql-transport-ws)`,
    `Health      ${url}/health/ready`,
    ...(keys ? [`Keys        ${url}/.well-known/jwks.json`] : []),
    ...(metricsUrl ? [`Metrics     ${metricsUrl}`] : []),
    ...(demoAccounts
      ? ['', `Demo accounts, password ${demoPassword}:`, demoUsers.map(({ email }) => email).join(' ')]
      : []),
  ];
  print(`\n${lines.map((line) => (line ? `  ${line}` : '')).join('\n')}\n`);
}

async function migrations([command, given, ...rest]: string[]): Promise<void> {
  if (command !== 'up' && command !== 'down' && command !== 'status') throw new Error(usage);
  flags(rest);
  const service = serviceNames.find((name) => name === given);
  if (given !== undefined && !service) {
    throw new Error(`there is no service '${given}': ${serviceNames.join(', ')}`);
  }
  const config = loadConfig(process.env, service ? { services: [service] } : {});
  const { runMigrations } = await import('./app/migrations.js');
  await runMigrations(config, { command: command satisfies MigrationCommand, service, print });
}

async function admin(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      email: { type: 'string' },
      'first-name': { type: 'string', default: 'Ada' },
      'last-name': { type: 'string', default: 'Admin' },
      'password-stdin': { type: 'boolean', default: false },
      promote: { type: 'boolean', default: false },
    },
  });
  if (values.email === undefined) throw new Error(`--email is missing\n\n${usage}`);
  const config = loadConfig(process.env, { services: ['user'] });
  const { createAdmin } = await import('./app/create-admin.js');
  await createAdmin(config, {
    ...{ email: values.email, firstName: values['first-name'], lastName: values['last-name'] },
    promotes: values.promote,
    passwordFrom: values['password-stdin'] ? process.stdin : undefined,
    print,
  });
}

async function deadLetters(given: string[]): Promise<void> {
  const { values: flags, positionals } = parseArgs({
    args: given,
    options: { first: { type: 'string' }, values: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [command = 'list', topic, ...more] = positionals;
  if ((command !== 'list' && command !== 'replay') || more.length > 0) throw new Error(usage);
  if (flags.first !== undefined && !/^\d{1,9}$/.test(flags.first)) throw new Error('--first takes a number');
  const first = Number(flags.first ?? Number.MAX_SAFE_INTEGER);
  const config = loadConfig(process.env, process.env['KAFKA_BROKERS'] ? { services: [], alone: true } : {});
  const { runDeadLetters } = await import('./app/dead-letters.js');
  await runDeadLetters(config, { command, topic, first, values: flags.values, print });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`doorstep: ${message || String(error)}\n`);
  if (process.env['LOG_LEVEL'] === 'debug' && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
