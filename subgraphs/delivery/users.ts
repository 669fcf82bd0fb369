import { rememberUsers, type UserNews } from '../../platform/auth/known-users.js';
import type { Tx } from '../../platform/postgres/database.js';
import { lockAssignments } from './assign.js';
import { apply, lockDeliveries } from './changes.js';
import { decideUnassign } from './domain.js';
import type { Geography } from './geography.js';
import { active } from './sql.js';

/**
 * What users may do has changed. Couriers whose accounts are no COURIERs' any more go off duty, and what they have waits for
 * others; of those whose accounts were deleted nothing personal stays. Seven statements at most, however many there are.
 */
export async function learnUsers(tx: Tx, news: UserNews[], geography: Geography): Promise<void> {
  const left = (await rememberUsers(tx, news)).filter(({ role }) => role !== 'COURIER');
  if (left.length === 0) return;
  const { rows: couriers } = await tx.query<{ id: string; userId: string }>(
    'select id, user_id as "userId" from couriers where user_id = any($1::uuid[])',
    [left.map(({ userId }) => userId)],
  );
  if (couriers.length === 0) return;
  // None of them is given anything until they are off duty.
  await lockAssignments(tx);
  const ids = couriers.map(({ id }) => id);
  const deliveries = await lockDeliveries(
    tx,
    `where d.courier_id = any($1::uuid[]) and d.${active} order by d.id`,
    [ids],
  );
  const decisions = deliveries.flatMap((delivery) => {
    const after = decideUnassign(delivery);
    return after.ok
      ? { delivery, after: after.value, reason: 'The courier has left.', by: 'system' as const }
      : [];
  });
  await apply(tx, decisions, geography);
  await tx.query(
    `update couriers set off_duty = true where id in (
       select id from couriers where id = any($1::uuid[]) order by id for update)`,
    [ids],
  );
  const gone = new Set(left.flatMap(({ userId, role }) => (role === null ? userId : [])));
  const erased = couriers.flatMap(({ id, userId }) => (gone.has(userId) ? id : []));
  if (erased.length === 0) return;
  await tx.query(
    `update couriers set name = 'Deleted user', phone = null, latitude = null, longitude = null, located_at = null
     where id = any($1::uuid[])`,
    [erased],
  );
  await tx.query(
    `update delivery_changes set reason = null
     where courier_id = any($1::uuid[]) and by = 'courier' and reason is not null`,
    [erased],
  );
}
