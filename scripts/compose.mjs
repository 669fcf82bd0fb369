// Runs docker compose on docker-compose.yml: `node scripts/compose.mjs up --detach`. The secrets which that
// file asks for are in .env.compose; those that are missing there are made first. After an `up` it waits
// until the gateway is ready, and says where everything is.
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseEnv } from 'node:util';

const root = join(import.meta.dirname, '..');
const secretsFile = join(root, '.env.compose');
const patienceMs = 180_000;

const about = `# Made by scripts/compose.mjs, and kept out of git. The databases know these passwords since they were made:
# whoever deletes this file begins anew with 'make down VOLUMES=1'. Other settings may stand here too.
`;

function makeSecrets() {
  const names = readFileSync(join(root, 'docker-compose.yml'), 'utf8').matchAll(/\$\{(\w+):\?/g);
  const required = new Set([...names].map(([, name]) => name));
  const there = kept();
  const missing = [...required].filter((name) => !there[name]);
  if (missing.length === 0) return;
  const lines = missing.map((name) => `${name}=${name === 'JWT_PRIVATE_KEY' ? newKey() : newPassword()}\n`);
  const text = (existsSync(secretsFile) ? '' : about) + lines.join('');
  appendFileSync(secretsFile, text, { mode: 0o600 });
}

const kept = () => (existsSync(secretsFile) ? parseEnv(readFileSync(secretsFile, 'utf8')) : {});

/** Stands in a URL as it is. */
const newPassword = () => randomBytes(24).toString('base64url');

/** In one line, as the program takes it. */
const newKey = () =>
  generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .trim()
    .replaceAll('\n', '\\n');

/** The plugin of docker, or the program that was there before it. */
function findCompose() {
  const known = [['docker', 'compose'], ['docker-compose']];
  return known.find(([program, ...args]) => spawnSync(program, [...args, 'version']).status === 0);
}

async function whenReady(url) {
  let last = 'nothing answers';
  for (const since = Date.now(); Date.now() - since < patienceMs; await delay(500)) {
    const response = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (response?.ok) return;
    if (response) last = await response.text();
  }
  throw new Error(`${url} is not ready after ${patienceMs / 1000} s: ${last}; 'make logs' shows more`);
}

async function main() {
  const args = process.argv.slice(2);
  const compose = findCompose();
  if (compose === undefined)
    throw new Error('docker compose is missing: install Docker with its compose plugin, or docker-compose');
  makeSecrets();
  const [program, ...first] = compose;
  const run = (args, stdio) =>
    spawnSync(program, [...first, '--env-file', secretsFile, ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio,
    });
  // Where there is no engine, docker-compose answers everything with a hundred lines of Python.
  const asked = run([args[0] === 'config' ? 'version' : 'ps'], 'pipe');
  if (asked.status !== 0)
    throw new Error(`docker does not answer: ${asked.stderr.trim().split('\n').at(-1)}`);
  const { status } = run(args, 'inherit');
  if (status !== 0) process.exit(status ?? 1);
  if (args[0] !== 'up') return;
  const { PUBLISH_HOST, PORT } = { ...kept(), ...process.env };
  const host = !PUBLISH_HOST || PUBLISH_HOST === '0.0.0.0' ? '127.0.0.1' : PUBLISH_HOST;
  const url = `http://${host}:${PORT || 4000}`;
  console.log(`waiting for ${url}/health/ready`);
  await whenReady(url);
  console.log(`\n  GraphQL     ${url}/graphql\n  Kafka UI    http://127.0.0.1:8090\n`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
