import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../gateway/testing/random.js';
import type { House, Replica } from './house.js';

/** What goes wrong, by the part that it happens to. */
export const parts = [
  'gateway',
  'user',
  'order',
  'payment',
  'delivery',
  'rolling stop',
  'broker',
  'PostgreSQL',
  'client sockets',
  'connections',
  'supergraph',
] as const;
export type Part = (typeof parts)[number];

export interface Troubles {
  /** How often each part has had its trouble. */
  counts: Record<Part, number>;
  /**
   * Has something go wrong with a part; resolves, to what that was, when what was killed has gone and is being started
   * again.
   */
  make(part: Part): Promise<string>;
  /** How long it took the slowest to come back, in ms. */
  readonly longestAway: number;
  /** Resolves when all that was killed is there again; rejects when something does not come. */
  over(): Promise<void>;
}

export function createTroubles(options: {
  house: House;
  random: Random;
  /** Breaks off some sockets of clients, and answers how many. */
  cutSockets: () => number;
  log: (line: string) => void;
}): Troubles {
  const { house, random, cutSockets, log } = options;
  const counts = Object.fromEntries(parts.map((part) => [part, 0])) as Record<Part, number>;
  const away = new Map<Replica | Part, Promise<void>>();
  let supergraphs = 0;
  let longestAway = 0;

  /** Restarts go on beside what goes wrong next. */
  function restart(what: Replica | Part, name: string, work: () => Promise<void>): void {
    const since = Date.now();
    const coming = work().then(() => {
      away.delete(what);
      longestAway = Math.max(longestAway, Date.now() - since);
      log(`there again: ${name}, after ${((Date.now() - since) / 1_000).toFixed(1)} s`);
    });
    // It is looked at in the end.
    coming.catch(() => undefined);
    away.set(what, coming);
  }

  async function endOne(candidates: readonly Replica[], how: 'kill' | 'terminate'): Promise<string> {
    const { command } = random.pick(candidates);
    const both = house.replicas.filter((replica) => replica.command === command);
    const coming = both.flatMap((replica) => away.get(replica) ?? []);
    // Mostly it is one that the other one can stand in for.
    if (coming.length === both.length) await Promise.race(coming);
    else if (random.chance(0.8)) await Promise.all(coming);
    const replica = random.pick(both.filter((one) => !away.has(one)));
    const down = random.below(1_500);
    const ended = house[how](replica);
    restart(replica, house.nameOf(replica), async () => {
      await ended;
      await delay(down);
      await house.start(replica);
    });
    await ended;
    return `${how} ${house.nameOf(replica)}`;
  }

  async function make(part: Part): Promise<string> {
    switch (part) {
      case 'rolling stop':
        return endOne(house.replicas, 'terminate');
      case 'broker':
        await away.get(part);
        restart(part, 'the broker', house.killBroker);
        return 'kill the broker';
      case 'PostgreSQL':
        await away.get(part);
        restart(part, 'PostgreSQL', house.killPostgres);
        return 'kill PostgreSQL';
      case 'client sockets':
        return `cut ${cutSockets()} sockets of clients`;
      case 'connections': {
        const [service, balancer] = random.pick([...house.balancers]);
        return `cut ${balancer.cut(random.pick([0.5, 1]))} connections to ${service}`;
      }
      case 'supergraph':
        await house.swap(another(house.supergraph, ++supergraphs));
        return `swap in supergraph ${supergraphs}`;
      default:
        return endOne(
          house.replicas.filter(({ command }) => command === part),
          'kill',
        );
    }
  }

  return {
    counts,
    get longestAway() {
      return longestAway;
    },
    async make(part) {
      const what = await make(part);
      counts[part]++;
      return what;
    },
    over: async () => void (await Promise.all(away.values())),
  };
}

/**
 * A supergraph that serves the same. By every second one, fields that everybody asks for are not said to be the same
 * for all, so that streams must part and come together again.
 */
const another = (supergraph: string, count: number): string =>
  `${count % 2 ? supergraph.replace(/^ {2}status: (Order|Delivery)Status! @shared$/gm, '  status: $1Status!') : supergraph}\n# ${count}\n`;

/** All parts, so many times, at random but each in every round. */
export function schedule(random: Random, rounds: number): Part[] {
  return Array.from({ length: rounds }, () => {
    const left = [...parts];
    return parts.map(() => left.splice(random.below(left.length), 1)[0] as Part);
  }).flat();
}
