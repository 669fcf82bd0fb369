import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  access,
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Binaries, environment, type Owner, oneLine } from './binaries.js';

const run = promisify(execFile);
const UNFINISHED = /^postgres\.init-/;

/** The files of one PostgreSQL server. */
export interface Cluster {
  /** What the server is started with as -D. */
  directory: string;
  /** Of the superuser `postgres`. */
  password: string;
}

interface Place {
  dataDir: string;
  binaries: Binaries;
  owner: Owner;
  /** false: nothing is forced to disk. */
  durable: boolean;
  log: (line: string) => void;
}

/**
 * Finds the cluster in `<dataDir>/postgres`, or makes it. initdb works in a directory beside it that
 * is renamed when all is done: what carries the final name is complete, whenever we were killed.
 */
export async function openCluster(place: Place): Promise<Cluster> {
  const { dataDir, log } = place;
  for (const name of await readdir(dataDir)) {
    // An initdb that outlived its parent may be writing there yet: names are not used again.
    if (UNFINISHED.test(name)) await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
  const directory = join(dataDir, 'postgres');
  const passwordFile = join(dataDir, 'postgres-password');
  if (await isCluster(directory)) {
    const password = await readFile(passwordFile, 'utf8').catch(() => {
      throw new Error(
        `${passwordFile} is missing: put it back, or remove ${directory} with all its data to begin anew`,
      );
    });
    return { directory, password: password.trim() };
  }
  await setAside(directory, log);
  log('making a database cluster');
  const password = await keptPassword(passwordFile);
  await initialise(place, directory, password);
  return { directory, password };
}

/** initdb makes both of these; a directory without them is none that a server could start on. */
async function isCluster(directory: string): Promise<boolean> {
  const needed = ['PG_VERSION', 'global/pg_control'].map((name) => access(join(directory, name)));
  return Promise.all(needed).then(
    () => true,
    () => false,
  );
}

/** Whatever else has the cluster's name is kept, for we did not make it. */
async function setAside(directory: string, log: (line: string) => void): Promise<void> {
  await rmdir(directory).catch(() => {});
  const aside = `${directory}.broken-${Date.now()}`;
  await rename(directory, aside).then(
    () => log(`${directory} was no complete database cluster: moved to ${aside}`),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    },
  );
}

/** Written before the cluster is there, so that a cluster never lacks it. */
async function keptPassword(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept !== '') return kept.trim();
  const password = randomBytes(18).toString('base64url');
  await writeFile(`${file}.new`, password, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return password;
}

async function initialise(place: Place, directory: string, password: string): Promise<void> {
  const { dataDir, binaries, owner, durable } = place;
  const work = join(dataDir, `postgres.init-${randomBytes(6).toString('hex')}`);
  const pgdata = join(work, 'pgdata');
  const passwordFile = join(work, 'password');
  await mkdir(work, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  for (const path of [work, passwordFile]) await give(path, owner);
  const args = [
    `--pgdata=${pgdata}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order of texts on every machine, whatever its C library and language.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ];
  try {
    await run(binaries.initdb, args, { ...owner, env: environment(), cwd: work });
    await rename(pgdata, directory);
    if (durable) await sync(dataDir);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`initdb failed: ${oneLine(stderr || message)}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function give(path: string, { uid, gid }: Owner): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

/** Makes a rename in the directory last through a power failure. Windows cannot, and need not. */
async function sync(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
