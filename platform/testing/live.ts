import { randomUUID } from 'node:crypto';
import { columnsOf, toReadings } from '../live/readings.js';
import { createLiveSource, type LiveSource, type Read, type Watch } from '../live/source.js';
import { type Database, openDatabase } from '../postgres/database.js';
import { silent } from './log.js';
import { createTestDatabase } from './postgres.js';

/** A change of a thing, as its watchers get it. */
export interface ThingChange {
  sequence: number;
  value: string;
}

/** A thing whose changes are numbered from 1, as orders and deliveries are, and a live source over it. */
export interface LiveThings {
  database: Database;
  live: LiveSource<ThingChange>;
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
  create table changes (thing_id uuid references things, sequence int, value text, at timestamptz not null default clock_timestamp(),
    primary key (thing_id, sequence));`;

export async function createLiveThings(
  options: { unknownMs?: number; pollMs?: number; paceMs?: number } = {},
): Promise<LiveThings> {
  const { url, drop } = await createTestDatabase('live');
  const database = openDatabase({ url, service: 'test' });
  await database.query(tables);
  const reads: Watch[][] = [];
  const hooks: LiveThings['hooks'] = {};
  const { unknownMs = 0, pollMs = 60_000, paceMs = 0 } = options;
  const readChanges = changesReader(database);
  const live = createLiveSource<ThingChange>({
    name: 'thing',
    log: silent,
    unknownMs,
    start: 0,
    pollMs,
    paceMs,
    async read(watches) {
      reads.push(watches);
      await hooks.before?.();
      const readings = await readChanges(watches);
      await hooks.after?.();
      return readings;
    },
  });

  const change = async (id: string, ...values: string[]): Promise<void> =>
    void (await database.query(
      `with counted as (update things set last = last + cardinality($2::text[]) where id = $1 returning last)
       insert into changes select $1, last - cardinality($2::text[]) + n, value
       from counted, unnest($2::text[]) with ordinality as v (value, n)`,
      [id, values],
    ));

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
  place: number;
  ownerId: string;
  last: number;
  ended: boolean;
  sequence: number | null;
  value: string;
  at: Date;
}

const changesReader =
  (database: Database): Read<ThingChange> =>
  async (watches) => {
    const { rows } = await database.query<Row>(
      `select w.place::int, t.owner as "ownerId", t.last, t.ended, c.sequence, c.value, c.at
       from unnest($1::uuid[], $2::int[], $3::int[], $4::boolean[]) with ordinality as w (id, after, most, known, place)
       join things t on t.id = w.id
       left join lateral (
         select * from changes where thing_id = t.id and sequence > coalesce(w.after, t.last - 1)
         order by sequence limit w.most) c on true
       where c.sequence is not null or t.ended or not w.known
       order by w.place, c.sequence`,
      columnsOf(watches),
    );
    return toReadings(watches, rows, ({ ownerId, last, ended, sequence, value, at }, { after }) => {
      const position = sequence ?? after;
      return {
        ownerId,
        ahead: position !== null && position > last,
        changes: sequence === null ? [] : [{ value: { sequence, value }, at }],
        position,
        more: position !== null && position < last,
        ended,
      };
    });
  };
