import { randomUUID } from 'node:crypto';
import { createLiveSource, type LiveSource, type Reading, type Watch } from '../live/source.js';
import { type Database, openDatabase } from '../postgres/database.js';
import { silent } from './log.js';
import { createTestDatabase } from './postgres.js';

/** A thing whose changes are numbered from 1, as orders and deliveries are, and a live source over it. */
export interface LiveThings {
  database: Database;
  live: LiveSource<string>;
  /** How often the database was read so far, and what was asked. */
  reads: Watch[][];
  /** Called before and after each read; what they throw, the read throws. */
  hooks: { before?: () => Promise<void>; after?: () => Promise<void> };
  /** Makes a thing of this owner, with these changes; answers its id. */
  make(owner: string, ...changes: string[]): Promise<string>;
  change(id: string, ...changes: string[]): Promise<void>;
  finish(id: string): Promise<void>;
  close(): Promise<void>;
}

const tables = `
  create table things (id uuid primary key, owner text not null, last int not null default 0, ended bool not null default false);
  create table changes (thing_id uuid references things, sequence int, value text, primary key (thing_id, sequence));`;

export async function createLiveThings(
  /** `generous`: the database answers with all changes, whatever was asked for. */
  options: { unknownMs?: number; pollMs?: number; generous?: boolean } = {},
): Promise<LiveThings> {
  const { url, drop } = await createTestDatabase('live');
  const database = openDatabase({ url, service: 'test' });
  await database.query(tables);
  const reads: Watch[][] = [];
  const hooks: LiveThings['hooks'] = {};
  const { unknownMs = 0, pollMs = 60_000 } = options;
  const live = createLiveSource<string>({
    name: 'thing',
    log: silent,
    unknownMs,
    pollMs,
    async read(watches) {
      reads.push(watches);
      await hooks.before?.();
      const asked = options.generous ? watches.map(({ id }) => ({ id, after: 0 })) : watches;
      const readings = await readChanges(database, asked);
      await hooks.after?.();
      return readings;
    },
  });

  const change = (id: string, ...values: string[]): Promise<void> =>
    database.transaction(async (tx) => {
      for (const value of values) {
        await tx.query(
          `with counted as (update things set last = last + 1 where id = $1 returning last)
           insert into changes select $1, last, $2 from counted`,
          [id, value],
        );
      }
    });

  return {
    database,
    live,
    reads,
    hooks,
    async make(owner, ...changes) {
      const id = randomUUID();
      await database.query('insert into things (id, owner) values ($1, $2)', [id, owner]);
      await change(id, ...changes);
      return id;
    },
    change,
    finish: async (id) => void (await database.query('update things set ended = true where id = $1', [id])),
    async close() {
      await live.stop();
      await database.close();
      await drop();
    },
  };
}

interface Row {
  position: number;
  owner: string | null;
  last: number;
  ended: boolean;
  sequence: number | null;
  value: string;
}

async function readChanges(database: Database, watches: Watch[]): Promise<Reading<string>[]> {
  const { rows } = await database.query<Row>(
    `select w.position::int, t.owner, t.last, t.ended, c.sequence, c.value
     from unnest($1::uuid[], $2::int[]) with ordinality as w (id, after, position)
     left join things t on t.id = w.id
     left join changes c on c.thing_id = t.id and c.sequence > coalesce(w.after, t.last - 1)
     order by w.position, c.sequence`,
    [watches.map(({ id }) => id), watches.map(({ after }) => after)],
  );
  return watches.map((_, index) => {
    const own = rows.filter(({ position }) => position === index + 1);
    const [first] = own;
    if (!first || first.owner === null) return { ownerId: null, last: 0, changes: [], ended: false };
    const changes = own.flatMap(({ sequence, value }) => (sequence === null ? [] : [{ sequence, value }]));
    return { ownerId: first.owner, last: first.last, changes, ended: first.ended };
  });
}
