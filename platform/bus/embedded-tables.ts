import type { Database } from '../postgres/database.js';
import type { DeadLetter } from './bus.js';

/**
 * The bus's own database: a row for each message and group that has yet to handle it (so nothing is
 * lost in a crash), and the messages that were put aside.
 */
export const embeddedSchema = `
create table if not exists delivery (
  id bigint generated always as identity primary key,
  group_name text not null,
  topic text not null,
  key text not null,
  message_id text not null,
  value text not null,
  headers jsonb not null,
  attempts integer not null default 0,
  next_at timestamptz not null default now(),
  unique (group_name, message_id)
);
create index if not exists delivery_queue on delivery (group_name, topic, id);
create index if not exists delivery_waiting on delivery (group_name, topic, key) where attempts > 0;
create table if not exists dead_letter (
  id bigint generated always as identity primary key,
  group_name text not null,
  topic text not null,
  key text not null,
  message_id text not null,
  value text not null,
  headers jsonb not null,
  reason text not null,
  at timestamptz not null default now()
);`;

/** The dead letters of the embedded bus, of a topic or of all, oldest first. Needs no bus that runs. */
export async function listDeadLetters(database: Database, topic?: string): Promise<DeadLetter[]> {
  const { rows } = await database.query<DeadLetter>(
    `select message_id as id, group_name as "group", topic, key, value, reason, at from dead_letter d
     where $1::text is null or topic = $1 order by d.id`,
    [topic ?? null],
  );
  return rows;
}

/** Hands the first dead letters to their group again, now or when the bus next runs; answers how many. */
export async function replayDeadLetters(
  database: Database,
  { topic, first }: { topic?: string; first: number },
): Promise<number> {
  const { rowCount } = await database.query(
    `with replayed as (
       delete from dead_letter where id in (
         select id from dead_letter where $1::text is null or topic = $1 order by id limit $2 for update)
       returning *)
     insert into delivery (group_name, topic, key, message_id, value, headers)
     select group_name, topic, key, message_id, value, headers from replayed order by id
     on conflict (group_name, message_id) do nothing`,
    [topic ?? null, first],
  );
  return rowCount;
}
