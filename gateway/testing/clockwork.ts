import { afterEach, beforeEach } from 'vitest';
import { metrics } from '../../platform/metrics.js';
import type { Gateway, GatewayOptions } from '../index.js';
import { startIssuer, startTestGateway } from './gateway.js';
import { Clock, startLabels, startTicks, ticksSupergraph } from './ticks.js';

/** What tests of subscriptions stand on: a clock, the subgraph that tells its ticks, the one that completes them, and tokens. */
export async function startClockwork() {
  const [clock, counts] = [new Clock(), { fetched: 0 }];
  const [ticks, labels, issuer] = await Promise.all([startTicks(clock), startLabels(counts), startIssuer()]);
  return { clock, counts, ticks, labels, issuer };
}

/** A clockwork with a gateway on it. */
export interface Clockhouse extends Awaited<ReturnType<typeof startClockwork>> {
  gateway: Gateway;
  /** Another gateway in place of the one that there is. */
  restart(options: Partial<GatewayOptions>): Promise<void>;
  /** How many subscriptions the gateway has open at the subgraph. */
  upstreams(): number;
}

/** Every test of the file has one of its own, under this name. */
export function clockhouseForEach(): Clockhouse {
  const house = {} as Clockhouse;
  const start = (options: Partial<GatewayOptions> = {}) =>
    startTestGateway({
      supergraph: ticksSupergraph({ ticks: house.ticks.url, labels: house.labels.url }),
      jwksUrl: house.issuer.jwksUrl,
      ...options,
    });
  beforeEach(async () => {
    Object.assign(house, await startClockwork());
    house.gateway = await start();
  });
  afterEach(async () => {
    await house.gateway.stop();
    await Promise.all([house.ticks.stop(), house.labels.stop(), house.issuer.stop()]);
  });
  return Object.assign(house, {
    async restart(options: Partial<GatewayOptions>) {
      await house.gateway.stop();
      house.gateway = await start(options);
    },
    upstreams: () => metrics.upstreamOperations.labels('ticks').value,
  });
}
