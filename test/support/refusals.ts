import { expect } from 'vitest';
import { until } from '../../platform/testing/until.js';
import { rowCounts } from './counts.js';
import { expectNoInsides } from './leaks.js';
import type { System } from './system.js';

/** The row counts, once nothing is on its way any more. */
export async function quiet(system: System): Promise<Record<string, number>> {
  let last = '';
  return until('nothing is on its way', async () => {
    const counts = await rowCounts(system);
    const waits = Object.entries(counts).some(
      ([name, rows]) => /outbox|^bus\.delivery$/.test(name) && rows > 0,
    );
    // The databases are counted one after the other: an event may slip through once, but then it has changed something.
    const seen = JSON.stringify(counts);
    const settled = !waits && seen === last;
    last = seen;
    return settled && counts;
  });
}

/** Fails unless a request is refused with this code (and field), tells nothing of the inside, and changes nothing. */
export async function expectRefused(
  system: System,
  request: { query: string; variables?: object; token?: string | undefined },
  expected: { code: string; field?: string },
): Promise<void> {
  const before = await quiet(system);
  const { errors, text } = await system.graphql(request.query, request.variables ?? {}, request.token);
  expect(errors[0]?.extensions, text.slice(0, 2000)).toMatchObject(expected);
  expectNoInsides(system, text);
  expect(await quiet(system)).toEqual(before);
}
