import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether a process of this number is there, anybody's. A zombie counts as there: see `startTime`. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When the process started, as an opaque text: numbers are used again, a number together with its
 * start is not. Undefined when it is not running, or when this machine cannot tell (Windows).
 */
export async function startTime(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await text(`/proc/${pid}/stat`);
    // proc_pid_stat(5): the name, field 2, is in brackets and may hold anything; 3 is the state, 22 the start since boot.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${fields[19]} ${(await text('/proc/sys/kernel/random/boot_id'))?.trim()}`;
  }
  const line = await ps(pid, 'stat=,lstart=');
  return line === undefined || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
}

/** The command line of a running process; undefined when it is gone, or when this machine cannot tell (Windows). */
export async function commandLine(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return ps(pid, 'command=');
  const line = (await text(`/proc/${pid}/cmdline`))?.replaceAll('\0', ' ').trim();
  return line === '' ? undefined : line;
}

const text = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

async function ps(pid: number, columns: string): Promise<string | undefined> {
  if (process.platform === 'win32') return undefined;
  // The start is printed in the caller's language and time zone, and must read the same in all processes.
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  const line = await run('ps', ['-ww', '-o', columns, '-p', String(pid)], { env }).catch(() => undefined);
  return line?.stdout.trim() || undefined;
}
