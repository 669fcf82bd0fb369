import { expect } from 'vitest';
import type { System } from './system.js';

/** Fails when a body tells of the inside: SQL, stack traces, addresses, drivers. */
export function expectNoInsides(system: Pick<System, 'subgraphs'>, body: string): void {
  expect(body).not.toMatch(
    /\bat \S+ \(|node_modules|\.[jt]s:\d|prisma|invocation|postgres|\bpg_|ECONN(REFUSED|RESET|ABORTED)|127\.0\.0\.1|localhost/i,
  );
  expect(body).not.toMatch(
    /\b(select|insert into|update|delete from)\b .*\b(from|values|set|where)\b|constraint|relation "/i,
  );
  for (const { url } of system.subgraphs.values()) expect(body).not.toContain(new URL(url).port);
}
