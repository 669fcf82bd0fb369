import { createHash } from 'node:crypto';
import { ok, type Result, refuse } from './errors.js';
import { isTextOf } from './text.js';

/** Runs one statement in the transaction of the effect, of pg or (see postgres/prisma.ts) of Prisma. */
export type Query = <R>(text: string, values: readonly unknown[]) => Promise<{ rows: R[] }>;

/** A mutation that a client may repeat by accident, and the key by which it says so. */
export interface Repeatable {
  userId: string;
  mutation: string;
  key: string;
  input: unknown;
}

/**
 * Claims an idempotency key inside the transaction of its effect, before anything else about the input
 * is looked at: so a refusal, which rolls back, leaves no trace, and a repetition that runs at the
 * same time waits here for the first. Answers the id of the first answer, or null when this is the first.
 */
export async function claim(query: Query, request: Repeatable): Promise<Result<string | null>> {
  const { userId, mutation, key } = request;
  if (!isTextOf(key, 200)) {
    return refuse('BAD_USER_INPUT', 'An idempotency key has 1 to 200 characters.', 'idempotencyKey');
  }
  const inputHash = createHash('sha256').update(JSON.stringify(request.input)).digest('hex');
  const claimed = await query(
    `insert into idempotency_keys (user_id, mutation, key, input_hash) values ($1::uuid, $2, $3, $4)
     on conflict do nothing returning true as claimed`,
    [userId, mutation, key, inputHash],
  );
  if (claimed.rows.length === 1) return ok(null);
  const { rows } = await query<{ input_hash: string; result_id: string | null }>(
    `select input_hash, result_id::text from idempotency_keys where user_id = $1::uuid and mutation = $2 and key = $3`,
    [userId, mutation, key],
  );
  const [first] = rows;
  if (first?.input_hash === inputHash) {
    if (first.result_id === null)
      throw new Error(`${mutation} claimed an idempotency key and never settled it`);
    return ok(first.result_id);
  }
  return refuse(
    'IDEMPOTENCY_CONFLICT',
    'This idempotency key was used with another input.',
    'idempotencyKey',
  );
}

/** Notes the id of the answer, in the same transaction, so that a repetition gets the same. */
export async function settle(query: Query, request: Repeatable, resultId: string): Promise<void> {
  await query(
    `update idempotency_keys set result_id = $4::uuid where user_id = $1::uuid and mutation = $2 and key = $3`,
    [request.userId, request.mutation, request.key, resultId],
  );
}
