import { once } from 'node:events';
import type { Child } from './child.js';

/** What the load process (children/load.ts) is told to do. */
export interface LoadOrder {
  port: number;
  headers: Record<string, string>;
  /** The requests go round these. */
  bodies: string[];
  /** Bytes of the answer to each: an answer of another length is a wrong one, and ends the round. */
  lengths: number[];
  /** One request under way on each. */
  connections: number;
  seconds: number;
}

export interface Tally {
  count: number;
  /** From the first request to the last answer. */
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

/** @throws Error where an answer was wrong or a connection ended */
export async function sendLoad(load: Child, order: LoadOrder): Promise<Tally> {
  load.process.send(order);
  const [answer] = (await Promise.race([
    once(load.process, 'message'),
    load.ended.then((how) => {
      throw new Error(`the load's process ended with ${how}:\n${load.output()}`);
    }),
  ])) as [Tally | { error: string }];
  if ('error' in answer) throw new Error(answer.error);
  return answer;
}
