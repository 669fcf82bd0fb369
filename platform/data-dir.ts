import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { exists, startTime } from './processes.js';

/**
 * Makes the directory that holds all we keep on this machine, with its missing parents, and gives
 * its absolute path. Run by root, others may pass through it (0711) but not list it: PostgreSQL
 * refuses to be root, and works as another user inside. Otherwise a new one is ours alone (0700).
 */
export async function ensureDataDir(dataDir: string): Promise<string> {
  const path = resolve(dataDir);
  const asRoot = process.getuid?.() === 0;
  const first = await mkdir(path, { recursive: true, mode: asRoot ? 0o711 : 0o700 });
  if (!asRoot) return path;
  // The umask may have taken bits from what was made just now; what was there before keeps its own.
  for (let made = path; first !== undefined && made.length >= resolve(first).length; made = dirname(made)) {
    await chmod(made, 0o711);
  }
  const { mode } = await stat(path);
  if ((mode & 0o011) !== 0o011) await chmod(path, (mode & 0o777) | 0o011);
  return path;
}

const LOCK = /^lock\.(\d+)\.([0-9a-f]+)$/;

/**
 * Makes this process the only one that uses the data directory, until it ends or calls what this
 * resolves to. Rejects with one line that names the directory and the process that has it.
 *
 * Each process puts down a file whose name says who it is (its number, and a hash of when it
 * started), then looks at the others' files. Whoever looks second sees the other, so two can never
 * both go on; and since a name is never used again, removing a dead process's file is always safe,
 * which it would not be with one common file.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const path = await ensureDataDir(dataDir);
  const mine = `lock.${process.pid}.${await mark(process.pid)}`;
  for (let attempt = 1; ; attempt += 1) {
    await create(join(path, mine), path);
    const other = await otherHolder(path, mine);
    if (other === undefined) break;
    await rm(join(path, mine), { force: true });
    // The other may be at this same point and give way as well: then one of us is first next time.
    if (attempt === 5) throw new Error(inUse(path, other));
    await delay(10 + Math.random() * 40);
  }
  return () => rm(join(path, mine), { force: true });
}

async function create(file: string, path: string): Promise<void> {
  try {
    await (await open(file, 'wx', 0o600)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new Error(inUse(path, process.pid));
    throw error;
  }
}

/** The number of a running process that has put down a lock; removes the locks of those that are gone. */
async function otherHolder(path: string, mine: string): Promise<number | undefined> {
  for (const name of await readdir(path)) {
    const found = LOCK.exec(name);
    if (found === null || name === mine) continue;
    const pid = Number(found[1]);
    if (exists(pid) && (await mark(pid)) === found[2]) return pid;
    await rm(join(path, name), { force: true });
  }
  return undefined;
}

async function mark(pid: number): Promise<string> {
  // Where start times cannot be read, the number alone has to do.
  const start = (await startTime(pid)) ?? (process.platform === 'win32' ? '' : 'gone');
  return createHash('sha256').update(start).digest('hex').slice(0, 16);
}

const inUse = (path: string, pid: number): string =>
  `${path} is in use by process ${pid}: stop that process, or set DATA_DIR to another directory`;
