import { createHash } from 'node:crypto';
import { networkOf } from '../../platform/client-address.js';
import { type Refusal, refuse } from '../../platform/errors.js';
import type { Database, Tx } from '../../platform/postgres/database.js';

/** What wrong passwords are counted by: its hash, and how many of them are let pass in a quarter of an hour. */
export interface Subject {
  name: string;
  most: number;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** By the account, there or not: who counts for an address that nobody has must not be told so. */
const byAccount = (email: string): Subject => ({ name: `account:${hashOf(email)}`, most: 10 });
/** By the user too, where there is one: another email address forgets nothing. */
const byUser = (userId: string): Subject => ({ name: `user:${hashOf(userId)}`, most: 10 });
/** By the client's network. */
const byAddress = (address: string): Subject => ({
  name: `address:${hashOf(networkOf(address))}`,
  most: 100,
});

export const subjectsOf = (
  email: string,
  userId: string | undefined,
  address: string | undefined,
): Subject[] => [
  byAccount(email),
  ...(userId === undefined ? [] : [byUser(userId)]),
  ...(address === undefined ? [] : [byAddress(address)]),
];

const recent = `f > now() - interval '15 minutes'`;
const isFull = (row: string) =>
  `(select count(*) from unnest(${row}.failures) f where ${recent}) >= ${row}.most`;
const wait = (
  row: string,
) => `ceil(extract(epoch from (select min(f) from unnest(${row}.failures) f where ${recent})
  + interval '15 minutes' - now()))::int`;

const waits = `select ${wait('t')} as seconds from throttles t where t.subject = any($1::text[]) and ${isFull('t')}`;

/** Why nobody may try a password of these now; undefined where they may. */
export const throttled = async (tx: Tx, subjects: Subject[]): Promise<Refusal | undefined> =>
  refuseFor((await tx.query<{ seconds: number }>(waits, [subjects.map(({ name }) => name)])).rows);

/** One statement, and rows in the order of their names: of those that come at once, each counts. */
const count = `insert into throttles as t (subject, most, failures)
  select subject, most, array[now()] from unnest($1::text[], $2::int[]) as s (subject, most) order by subject
  on conflict (subject) do update set most = excluded.most, updated_at = now(), failures = (
    select case when count(*) < excluded.most then array_append(array_agg(f order by f), now())
      else array_agg(f order by f) end
    from unnest(t.failures) f where ${recent})
  returning case when old.subject is not null and ${isFull('old')} then ${wait('old')} end as seconds`;

/**
 * Counts a wrong password. Of those that were looked at at the same time no more are told that they were wrong than
 * may be tried: the others are refused, as the right one is then.
 */
export async function countWrong(tx: Tx, subjects: Subject[]): Promise<Refusal | undefined> {
  const { rows } = await tx.query<{ seconds: number | null }>(count, [
    subjects.map(({ name }) => name),
    subjects.map(({ most }) => most),
  ]);
  return refuseFor(rows.flatMap(({ seconds }) => (seconds === null ? [] : { seconds })));
}

function refuseFor(waits: { seconds: number }[]): Refusal | undefined {
  if (waits.length === 0) return undefined;
  const retryAfter = Math.max(...waits.map(({ seconds }) => seconds), 1);
  return {
    ...refuse('RATE_LIMITED', `There were too many wrong passwords; try again in ${retryAfter} s.`),
    extensions: { http: { status: 429 }, retryAfter },
  };
}

/** Forgets what counts no more. */
export const forgetFailures = (database: Database): Promise<unknown> =>
  database.query(`delete from throttles where updated_at < now() - interval '15 minutes'`);
