import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Spent, spentBy, spentByPostgres } from './cpu.js';
import type { Stack, StackName } from './stacks.js';

/** What one turn of one stack has shown. */
export interface Turn {
  perSecond: number;
  /** How long each request took, in ms. */
  times: number[];
  /** The CPU of each part, in ms: gateway, user, order, payment, delivery, PostgreSQL, load generator. */
  spent: Spent;
  /** SQL statements for reads. */
  statements: number;
}

/** The turns of each stack. */
export type Measured = Map<StackName, Turn[]>;

/** `cluster` is the data directory of PostgreSQL; `visit` answers how long each request took. */
export async function measureTurn(
  stack: Stack,
  cluster: string,
  visit: () => Promise<number[]>,
): Promise<Turn> {
  const postmaster = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const spent = (): Spent => {
    const { user, system } = process.cpuUsage();
    return spentBy(stack.pids)
      .set('PostgreSQL', spentByPostgres(postmaster))
      .set('load generator', (user + system) / 1000);
  };
  const statementsBefore = await stack.statements();
  const before = spent();
  const began = performance.now();
  const times = await visit();
  const seconds = (performance.now() - began) / 1000;
  const after = spent();
  return {
    perSecond: times.length / seconds,
    times,
    spent: new Map([...after].map(([part, ms]) => [part, ms - (before.get(part) ?? 0)])),
    statements: (await stack.statements()) - statementsBefore,
  };
}
