import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: fixed at 100 for programs on every Linux that Node runs on. */
const ticks = 100;

export interface Stat {
  pid: number;
  parent: number;
  /** CPU that it used so far, in user and in system mode. */
  seconds: number;
}

/** Reads a line of /proc/<pid>/stat (proc_pid_stat(5)); the name, in brackets, may hold anything. */
export function parseStat(line: string): Stat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number);
  return {
    pid: Number.parseInt(line, 10),
    parent: parent ?? 0,
    seconds: ((user ?? 0) + (system ?? 0)) / ticks,
  };
}

/** Seconds of CPU that a process and all that it started have used; undefined where this machine cannot tell. */
export function cpuSeconds(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(name) ?? []) : []));
  return secondsOfTree(stats, pid);
}

export function secondsOfTree(stats: readonly Stat[], root: number): number {
  const own = stats.find(({ pid }) => pid === root)?.seconds ?? 0;
  const children = stats.filter(({ parent }) => parent === root);
  return own + children.reduce((sum, { pid }) => sum + secondsOfTree(stats, pid), 0);
}

function statOf(name: string): Stat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'));
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
