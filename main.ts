import { existsSync } from 'node:fs';
import type { MigrationCommand } from './app/migrations.js';
import { demoPassword, demoUsers } from './events/demo.js';
import { type Config, loadConfig, serviceNames } from './platform/config.js';
import { StoppedError } from './platform/lifecycle.js';
import { createLog, type Log } from './platform/log.js';

const usage = `usage: doorstep [command]

  all                              everything in one process (the default)
  gateway                          the gateway alone, for any supergraph
  migrate up|down|status [service] the databases' migrations

The environment is described in .env.example.`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main([command = 'all', ...rest]: string[]): Promise<void> {
  if (command === 'help' || command === '--help') return print(usage);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(process.env);
  // Loaded only now: a wrong environment is told at once.
  if (command === 'all') return serve(config, (await import('./app/all.js')).startAll);
  if (command === 'gateway') {
    return serve({ ...config, DEMO_DATA: false }, (await import('./app/gateway.js')).startGatewayAlone);
  }
  if (command === 'migrate') return migrations(config, rest);
  throw new Error(`there is no command '${command}'\n\n${usage}`);
}

interface Running {
  url: string;
  metricsUrl: string | undefined;
  stop(): Promise<boolean>;
}

/** A Ctrl-C arrives twice, from the terminal and passed on by npm; what comes so soon after is the same. */
const sameSignalMs = 1_000;

type Start = (config: Config, log: Log, told: AbortSignal) => Promise<Running>;

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
    running = await start(config, log, told.signal);
  } catch (error) {
    if (error instanceof StoppedError) return end(error.clean);
    throw error;
  }
  if (told.signal.aborted) return end(await running.stop());
  await ready(running.url, told.signal);
  if (!told.signal.aborted) announce(config, running);
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

function announce(config: Config, { url, metricsUrl }: Running): void {
  print('');
  print(`  GraphQL     ${url}/graphql (a browser gets GraphiQL)`);
  print(`  WebSocket   ${url.replace(/^http/, 'ws')}/graphql (graphql-transport-ws)`);
  print(`  Health      ${url}/health/ready`);
  print(`  Keys        ${url}/.well-known/jwks.json`);
  if (metricsUrl) print(`  Metrics     ${metricsUrl}`);
  if (config.DEMO_DATA) {
    print(`\n  Demo accounts, password ${demoPassword}:`);
    print(`  ${demoUsers.map(({ email }) => email).join(' ')}`);
  }
  print('');
}

async function migrations(config: Config, [command, service]: string[]): Promise<void> {
  if (command !== 'up' && command !== 'down' && command !== 'status') throw new Error(usage);
  if (service !== undefined && !serviceNames.some((name) => name === service)) {
    throw new Error(`there is no service '${service}': ${serviceNames.join(', ')}`);
  }
  const { runMigrations } = await import('./app/migrations.js');
  await runMigrations(config, { command: command satisfies MigrationCommand, service, print });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`doorstep: ${message || String(error)}\n`);
  if (process.env['LOG_LEVEL'] === 'debug' && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
