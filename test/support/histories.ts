import { until } from '../../platform/testing/until.js';

/** A change as the database has it, by what its cursor says; `matches`: whoever watches is to get it. */
interface StoredChange {
  key: string;
  thing: string;
  open: boolean;
  matches: boolean;
}

/** One watcher's way: each time it came, after which cursor, and what it was told until it left. */
interface Visit {
  after: string | null;
  seen: string[];
}

export interface Wanderer {
  readonly name: string;
  readonly visits: readonly Visit[];
  /** Goes, and comes back with its last cursor, to another replica perhaps. */
  move(): Promise<void>;
  leave(): Promise<void>;
  /** Stops reading, or goes on; what comes meanwhile waits for it. */
  pause(paused: boolean): void;
}

/**
 * Watches by `open`, given the cursor to come back with, and keeps what it is told. Rejects nothing: a stream that
 * fails is told by `onError`.
 */
export function wander<T extends object>(options: {
  name: string;
  open: (after: string | null) => AsyncIterator<T>;
  keyOf: (value: T) => string;
  onError: (error: unknown) => void;
}): Wanderer {
  const { name, open, keyOf, onError } = options;
  const visits: Visit[] = [];
  let current: { events: AsyncIterator<T>; left: boolean } | undefined;
  let paused = false;
  let goOn = (): void => {};

  function come(): void {
    const last = visits.at(-1);
    const visit: Visit = { after: last?.seen.at(-1) ?? last?.after ?? null, seen: [] };
    visits.push(visit);
    const here = { events: open(visit.after), left: false };
    current = here;
    void (async () => {
      for (;;) {
        if (paused)
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
        if (here.left) return;
        const { done, value } = await here.events.next();
        if (done || here.left) return;
        visit.seen.push(keyOf(value));
      }
    })().catch(onError);
  }

  async function leave(): Promise<void> {
    if (!current) return;
    current.left = true;
    goOn();
    await current.events.return?.();
  }

  come();
  return {
    name,
    visits,
    leave,
    async move() {
      await leave();
      come();
    },
    pause(wanted) {
      paused = wanted;
      if (!paused) goOn();
    },
  };
}

/** What may be told of a history: from after a cursor on, or the state as of some moment and then what came after it. */
function tellings(changes: StoredChange[], after: string | null, whole: 'open' | 'last'): string[][] {
  const since = (index: number) => changes.slice(index).filter(({ matches }) => matches);
  const keys = (list: StoredChange[]) => list.map(({ key }) => key);
  if (after !== null) return [keys(since(changes.findIndex(({ key }) => key === after) + 1))];
  return Array.from({ length: changes.length + 1 }, (_, moment) => {
    const last = new Map<string, StoredChange>();
    for (const change of changes.slice(0, moment)) {
      last.delete(change.thing);
      last.set(change.thing, change);
    }
    const state = [...last.values()].filter(({ open, matches }) => (open || whole === 'last') && matches);
    return keys([...state, ...since(moment)]);
  });
}

/** What the database has of what somebody watches, by the watcher's name. */
export type Histories = (name: string) => {
  changes: StoredChange[];
  /** What the present state consists of: the last changes of the things that are open, or whatever was last. */
  state: 'open' | 'last';
};

/** Why a wanderer's history is not what the database has, or undefined where it is, to the last change. */
function astray({ name, visits }: Wanderer, histories: Histories): string | undefined {
  const { changes, state } = histories(name);
  for (const [index, { after, seen }] of visits.entries()) {
    const isLast = index === visits.length - 1;
    const fits = tellings(changes, after, state).some(
      (told) => seen.every((key, at) => key === told[at]) && (isLast ? seen.length === told.length : true),
    );
    if (!fits)
      return `${name}, visit ${index} after ${after}: saw ${seen.join(' ')} of ${changes.map(({ key }) => key).join(' ')}`;
  }
  return undefined;
}

/** Waits until nobody is astray, and again after one more change: what comes twice may come late. */
export async function expectHistories(options: {
  wanderers: readonly Wanderer[];
  histories: () => Promise<Histories>;
  another: () => Promise<unknown>;
}): Promise<void> {
  const { wanderers, histories, another } = options;
  for (const more of [async () => undefined, another]) {
    await more();
    const known = await histories();
    let reasons: string[] = [];
    await until('every history equals the database’s', () => {
      reasons = wanderers.flatMap((one) => astray(one, known) ?? []);
      return reasons.length === 0;
    }).catch(() => {
      throw new Error(reasons.join('\n'));
    });
  }
}
