import { readdirSync, readFileSync } from 'node:fs';

/** What each part of the system has spent of the processors since it started, in ms. */
export type Spent = Map<string, number>;

/** proc_pid_stat(5) counts in these; Linux shows 100 a second to programs on every machine. */
const tickMs = 10;

/** The CPU of processes by name, all their threads included. Linux alone tells. */
export function spentBy(pids: ReadonlyMap<string, number>): Spent {
  return new Map([...pids].map(([name, pid]) => [name, own(statOf(pid))]));
}

/** The CPU of a PostgreSQL server: its postmaster and all of its processes, those that have ended included. */
export function spentByPostgres(postmaster: number): number {
  const stat = statOf(postmaster);
  return processes()
    .map(statOf)
    .filter(({ parent }) => parent === postmaster)
    .reduce((sum, child) => sum + own(child), own(stat) + stat.endedChildrenMs);
}

interface Stat {
  parent: number;
  userMs: number;
  systemMs: number;
  endedChildrenMs: number;
}

const own = ({ userMs, systemMs }: Stat): number => userMs + systemMs;

const processes = (): number[] =>
  readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

function statOf(pid: number): Stat {
  let text = '';
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // It has ended just now.
  }
  // The name, field 2, is in brackets and may hold anything; field 3 comes after them.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3] ?? 0);
  return {
    parent: field(4),
    userMs: field(14) * tickMs,
    systemMs: field(15) * tickMs,
    endedChildrenMs: (field(16) + field(17)) * tickMs,
  };
}
