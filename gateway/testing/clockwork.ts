import { startIssuer } from './gateway.js';
import { Clock, startLabels, startTicks } from './ticks.js';

/** What tests of subscriptions stand on: a clock, the subgraph that tells its ticks, the one that completes them, and tokens. */
export async function startClockwork() {
  const [clock, counts] = [new Clock(), { fetched: 0 }];
  const [ticks, labels, issuer] = await Promise.all([startTicks(clock), startLabels(counts), startIssuer()]);
  return { clock, counts, ticks, labels, issuer };
}
