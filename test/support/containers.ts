import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { projectPath } from '../../platform/root.js';
import { temporaryFolder } from './process.js';

/** A service of docker-compose.yml. */
export interface Container {
  image: string;
  build?: unknown;
  user?: string;
  command: string[];
  environment: Record<string, string>;
  ports?: unknown[];
  restart: string;
  cap_drop: string[];
  security_opt: string[];
  read_only?: boolean;
  stop_grace_period: string;
  depends_on?: unknown;
  logging: { options: Record<string, string> };
  healthcheck: { test: string[] };
}

/** docker-compose.yml with its variables put in, so far as it uses them: ${NAME:-default} and ${NAME:?complaint}. */
export function readCompose(variables: NodeJS.Dict<string>): Record<string, Container> {
  const put = (text: string) =>
    text.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
      const value = variables[name];
      if (value) return value;
      if (kind === '?') throw new Error(`${name} ${rest}`);
      return rest;
    });
  const text = readFileSync(projectPath('docker-compose.yml'), 'utf8');
  const reviver = (_: unknown, value: unknown) => (typeof value === 'string' ? put(value) : value);
  return (parse(text, reviver, { merge: true }) as { services: Record<string, Container> }).services;
}

export interface Copy {
  /** The stage that it is copied from; undefined for the project's folder. */
  from: string | undefined;
  /** Relative to /app, or to the project. */
  sources: string[];
  /** Relative to /app. */
  to: string;
}

/** What the Dockerfile says of the image that it makes. */
export interface Image {
  user: string | undefined;
  entrypoint: string[];
  command: string[];
  copies: Copy[];
  stages: string[];
}

export function readDockerfile(): Image {
  const text = readFileSync(projectPath('Dockerfile'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const all = (name: string) =>
    last.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  return {
    user: all('USER').at(-1),
    entrypoint: JSON.parse(all('ENTRYPOINT').at(-1) ?? '[]') as string[],
    command: JSON.parse(all('CMD').at(-1) ?? '[]') as string[],
    copies: all('COPY').map((line) => {
      const from = /^--from=(\S+) /.exec(line)?.[1];
      const paths = line.split(' ').filter((word) => !word.startsWith('--'));
      return {
        from,
        sources: paths.slice(0, -1).map((path) => path.replace(/^\/app\//, '')),
        to: paths.at(-1) ?? '',
      };
    }),
    stages: lines.filter((line) => line.startsWith('FROM ')),
  };
}

/**
 * What the image has in /app, in this folder: copied as its Dockerfile says from this project, built as it is.
 * Its packages are the project's.
 */
export async function unpackImage({ copies }: Image, folder: string): Promise<void> {
  await symlink(projectPath('node_modules'), join(folder, 'node_modules'));
  for (const { sources, to } of copies) {
    if (to.startsWith('node_modules')) continue;
    for (const source of sources) {
      const target = join(folder, to, to.endsWith('/') ? basename(source) : '');
      await mkdir(dirname(target), { recursive: true });
      await cp(projectPath(source), target, { recursive: true });
    }
  }
}

/** A shell script under the name of a program, in a folder for a PATH. */
export async function fakeProgram(folder: string, name: string, script: string): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

export interface Checkout {
  /** All that its PATH has. */
  bin: string;
  /** What `make up` keeps the secrets in. */
  secretsFile: string;
  secrets(): Promise<Record<string, string>>;
  /** scripts/compose.mjs, as `make up` runs it. */
  compose(args: string[], env?: Record<string, string>): Promise<Outcome>;
}

/** A folder with what `make up` needs, and no docker compose. */
export async function checkout(onEnd: (remove: () => Promise<void>) => void): Promise<Checkout> {
  const folder = await temporaryFolder(onEnd);
  const bin = join(folder, 'bin');
  const secretsFile = join(folder, '.env.compose');
  await mkdir(bin);
  for (const file of ['docker-compose.yml', 'scripts/compose.mjs'])
    await cp(projectPath(file), join(folder, file));
  return {
    bin,
    secretsFile,
    secrets: async () => parseEnv(await readFile(secretsFile, 'utf8')) as Record<string, string>,
    compose: (args, env) =>
      run([process.execPath, 'scripts/compose.mjs', ...args], { cwd: folder, env: { PATH: bin, ...env } }),
  };
}

/** A folder where the secrets have been made. */
export async function checkoutWithSecrets(onEnd: (remove: () => Promise<void>) => void): Promise<Checkout> {
  const made = await checkout(onEnd);
  await fakeProgram(made.bin, 'docker-compose', 'exit 0');
  const { code, output } = await made.compose(['config']);
  if (code !== 0) throw new Error(output);
  return made;
}

export interface Outcome {
  code: number;
  output: string;
}

/** Runs a program to its end, in this folder, with nothing in its environment but this, PATH and HOME. */
export function run(
  [program = '', ...args]: string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env: { ...base(), ...env } }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : Number(error !== null);
      resolve({ code, output: stdout + stderr });
    });
  });
}

export interface Process {
  output(): string;
  /** Closes its input and sends the signal, if any; resolves to the exit code, or to the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
  /** How it has ended, if it has. */
  end(): number | string | undefined;
}

/** Starts what runs until it is stopped, with nothing in its environment but this, PATH and HOME. */
export function start(
  [program = '', ...args]: string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Process {
  const child = spawn(program, args, { cwd, env: { ...base(), ...env } });
  let printed = '';
  let end: number | string | undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  const ended = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal ?? ''));
  });
  void ended.then((how) => {
    end = how;
  });
  return {
    output: () => printed,
    end: () => end,
    stop(signal) {
      child.stdin.destroy();
      if (signal) child.kill(signal);
      return ended;
    },
  };
}

function base(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME };
}
