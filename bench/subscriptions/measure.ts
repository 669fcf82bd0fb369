import { cpuSeconds } from '../gateway/cpu.js';

/** The CPU that processes have used while some work was done, in seconds by name; Linux alone tells. */
export async function spentWhile<T>(
  pids: Readonly<Record<string, number>>,
  work: () => Promise<T>,
): Promise<{ result: T; seconds: number; cpu: Record<string, number> }> {
  const read = () =>
    Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid) ?? Number.NaN] as const);
  const before = new Map(read());
  const began = performance.now();
  const result = await work();
  const seconds = (performance.now() - began) / 1000;
  const cpu = Object.fromEntries(read().map(([name, used]) => [name, used - (before.get(name) ?? 0)]));
  return { result, seconds, cpu };
}
