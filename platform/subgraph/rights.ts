import type { Rights, RightsChange } from '../auth/rights.js';
import { rightsKeptMs } from '../auth/rights.js';
import { createBell } from '../bell.js';
import type { Bus } from '../bus/bus.js';
import type { Contract } from '../bus/event.js';
import type { Log } from '../log.js';
import type { Database } from '../postgres/database.js';
import { repeat, type Worker } from '../worker.js';

/** Whence a service knows whose rights have changed. */
export interface RightsSource {
  /** The events that tell it to every replica, at once. */
  contracts: Pick<Contract<RightsChange>, 'topic' | 'schema'>[];
  /** What the service's database has of it, since a moment: for what was not heard. */
  read(database: Database, since: Date): Promise<(RightsChange & { at: Date })[]>;
}

const pollMs = 5_000;
/** Longer than a transaction can take: one that began before others may be seen after them. */
const overlapMs = 60_000;

/** Keeps up whose rights have changed: by events, and by the database at the start, every 5 s and after each gap. */
export async function keepRights(options: {
  source: RightsSource;
  rights: Rights;
  database: Database;
  bus: Pick<Bus, 'listen'>;
  log: Log;
}): Promise<Worker> {
  const { source, rights, database, bus, log } = options;
  const bell = createBell();
  let last = Date.now() - rightsKeptMs + overlapMs;

  async function look(): Promise<boolean> {
    const changes = await source.read(database, new Date(last - overlapMs));
    rights.note(changes);
    last = changes.reduce((latest, { at }) => Math.max(latest, at.getTime()), last);
    return false;
  }

  // First, since whoever waits for the database calls this again; what comes between is looked for once it is heard.
  await look();
  for (const contract of source.contracts)
    bus.listen(
      { ...contract, key: ({ userId }) => userId },
      ({ data }) => rights.note([data]),
      () => bell.ring(),
    );
  return repeat({ name: 'rights', pollMs, bell, log, work: look });
}
