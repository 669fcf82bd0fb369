import { must, type Result, refusable, refuse } from '../../platform/errors.js';
import type { Database, Tx } from '../../platform/postgres/database.js';
import { violatedConstraint } from '../../platform/postgres/errors.js';
import { type AskUsers, admit, checkAccount } from './accounts.js';
import { type CourierStatus, readDuty, readProfile, type Transport } from './domain.js';
import type { Geography, Place } from './geography.js';
import { report } from './positions.js';
import { freshLatitude, freshLongitude, statusOf } from './sql.js';

/** What is done about couriers themselves; each answers the courier's id. */
export interface CourierCommands {
  /** One with an account has to be a COURIER's, which the user service says. */
  create(input: NewCourier): Promise<Result<string>>;
  update(id: string, input: Omit<NewCourier, 'userId'>): Promise<Result<string>>;
  /** On duty or off it: of a courier by its id, or by the account that acts for it. */
  setStatus(who: { id: string } | { userId: string }, status: CourierStatus): Promise<Result<string>>;
  /** Where the courier is that this account acts for. */
  report(userId: string, place: Place): Promise<Result<string>>;
}

interface NewCourier {
  name?: string | null | undefined;
  phone?: string | null | undefined;
  transport?: Transport | null | undefined;
  userId: string | null;
}

const noSuchCourier = () => refuse('NOT_FOUND', 'There is no such courier.');
const noCourier = () => refuse('NOT_FOUND', 'No courier is linked to your account.');

/** `freed` is called when a courier can be sent that could not before. */
export const courierCommands = (
  database: Database,
  geography: Geography,
  users: AskUsers,
  freed: () => void = () => undefined,
): CourierCommands => ({
  async create(input) {
    try {
      const created = await refusable(async () => {
        const { name, phone, transport } = must(readProfile(input));
        const { userId } = input;
        const account = userId === null ? null : must(await users.ask({ userId }));
        return database.transaction(async (tx) => {
          if (userId !== null && account) must(await admit(tx, { userId, ...account }));
          const { rows } = await tx.query<{ id: string }>(
            'insert into couriers (name, phone, transport, user_id) values ($1, $2, $3, $4) returning id',
            [name, phone, transport, userId],
          );
          return idIn(rows);
        });
      });
      freed();
      return created;
    } catch (error) {
      if (violatedConstraint(error) !== 'couriers_user_id_key') throw error;
      return refuse('CONFLICT', 'This account has a courier already.', 'userId');
    }
  },

  update: (id, input) =>
    refusable(async () => {
      const { name, phone, transport } = must(readProfile(input));
      const { rows } = await database.query<{ id: string }>(
        `update couriers set name = coalesce($2, name), phone = coalesce($3, phone), transport = coalesce($4, transport)
         where id = $1 returning id`,
        [id, name, phone, transport],
      );
      return rows.length > 0 ? idIn(rows) : must(noSuchCourier());
    }),

  async setStatus(who, status) {
    const result = await refusable(() =>
      database.transaction<string>(async (tx) => {
        const courier = await lockCourier(tx, who);
        if (!courier) return must('id' in who ? noSuchCourier() : noCourier());
        const offDuty = must(readDuty(courier.status, status));
        if (!offDuty) must(await checkAccount(tx, courier.id));
        await tx.query(
          `update couriers set off_duty = $2, free_since = case when off_duty and not $2 then now() else free_since end
           where id = $1`,
          [courier.id, offDuty],
        );
        return courier.id;
      }),
    );
    freed();
    return result;
  },

  report: (userId, { latitude, longitude }) =>
    refusable(async () => {
      must(readDegrees(latitude, 90, 'latitude'));
      must(readDegrees(longitude, 180, 'longitude'));
      return database.transaction(async (tx) => {
        const { rows } = await tx.query<{ id: string }>('select id from couriers where user_id = $1', [
          userId,
        ]);
        const [courier] = rows;
        if (!courier) return must(noCourier());
        await report(tx, [{ courierId: courier.id, latitude, longitude }], geography);
        // The courier is locked by now: its account can go no more before this is over.
        must(await checkAccount(tx, courier.id));
        return courier.id;
      });
    }),
});

interface LockedCourier {
  id: string;
  status: CourierStatus;
  transport: Transport;
  /** Where it is, as far as that is known. */
  latitude: number | null;
  longitude: number | null;
}

/** A courier, locked until the transaction ends. */
export async function lockCourier(
  tx: Tx,
  who: { id: string } | { userId: string },
): Promise<LockedCourier | undefined> {
  const [column, value] = 'id' in who ? ['id', who.id] : ['user_id', who.userId];
  const { rows } = await tx.query<LockedCourier>(
    `select id, ${statusOf('k')} as status, transport, ${freshLatitude('k')} as latitude,
       ${freshLongitude('k')} as longitude
     from couriers k where ${column} = $1 for update of k`,
    [value],
  );
  return rows[0];
}

const readDegrees = (value: number, most: number, field: string): Result<number> =>
  Math.abs(value) <= most
    ? { ok: true, value }
    : refuse('BAD_USER_INPUT', `${field} is -${most} to ${most} degrees.`, field);

const idIn = ([row]: { id: string }[]): string => row?.id ?? '';

/** Adds the couriers whose ids are not there yet, and what is not known of those that are. */
export async function ensureCouriers(
  database: Database,
  couriers: { id: string; name: string; userId: string; phone?: string; transport?: Transport }[],
): Promise<void> {
  await database.query(
    `insert into couriers as k (id, name, user_id, phone, transport)
     select id, name, user_id, phone, coalesce(transport, 'BICYCLE')
     from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[]) as n (id, name, user_id, phone, transport)
     on conflict (id) do update set phone = excluded.phone, transport = excluded.transport
       where k.phone is null and excluded.phone is not null`,
    [
      couriers.map(({ id }) => id),
      couriers.map(({ name }) => name),
      couriers.map(({ userId }) => userId),
      couriers.map(({ phone }) => phone ?? null),
      couriers.map(({ transport }) => transport ?? null),
    ],
  );
}
