/**
 * Whether trying again later can help: the server or the way to it is down, or this transaction lost
 * against another (deadlock, serialization, a timeout). Looks through `cause`, AggregateErrors and
 * what Prisma wraps around the driver's errors. False for everything that would fail the same again.
 */
export function isTransient(error: unknown): boolean {
  return (
    layers(error).some(
      ({ code, kind, originalCode, message }) =>
        isTransientState(originalCode) ||
        isTransientState(code) ||
        (code !== undefined && (networkCodes.has(code) || prismaCodes.has(code))) ||
        (code === 'P2028' && prismaTimeout.test(message)) ||
        (kind !== undefined && adapterKinds.has(kind)) ||
        driverMessages.has(message),
    ) || isStalePlan(error)
  );
}

/**
 * Whether what failed is not to blame: an outage, or a database that is not as it should be (a missing
 * table, a revoked grant, a wrong password). Waiting, or somebody's help, mends that; false for what a
 * statement's own values broke (a constraint, a number out of range) and for bugs outside of SQL.
 */
export const isOutage = (error: unknown): boolean =>
  isTransient(error) ||
  layers(error).some(({ code, originalCode }) => {
    const state = originalCode ?? code ?? '';
    return sqlState.test(state) && !ownFault.test(state);
  });

/** Prisma's codes begin with P, as do those of `raise`; the system's with E. */
const sqlState = /^[0-9FHX][0-9A-Z]{4}$/;
/** Cardinality, data, integrity, limits of a row: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const ownFault = /^(21|22|23|54)/;

/**
 * The name of the unique, check, foreign key or exclusion constraint that refused a write, whether
 * pg or Prisma reports it; undefined for every other error (a null in a NOT NULL column has no name).
 */
export function violatedConstraint(error: unknown): string | undefined {
  for (const layer of layers(error)) {
    const state = layer.originalCode ?? layer.code;
    if (state === undefined || !violations.has(state)) continue;
    // Prisma keeps the name of some constraints only in the message: English, as `lc_messages` has it.
    const name = layer.constraint ?? /constraint "([^"]+)"/.exec(layer.message)?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}

/**
 * A statement prepared before a migration whose columns have changed since. It fails for as long as
 * its connection lives, and works on a new one: the transaction fails, its client must go.
 */
export function isStalePlan(error: unknown): boolean {
  return layers(error).some(
    ({ code, originalCode, message }) =>
      (originalCode ?? code) === '0A000' && message === 'cached plan must not change result type',
  );
}

/** https://www.postgresql.org/docs/18/errcodes-appendix.html; class 08 is "connection exception", 53 "insufficient resources". */
const transientStates = new Set([
  '25006', // read-only: a failover has left us on the standby
  '25P03', // idle in transaction for too long
  '25P04', // transaction timeout
  '40001', // serialization failure
  '40003', // statement completion unknown
  '40P01', // deadlock
  '55P03', // lock not available
  '57014', // query canceled: the statement timeout
  '57P01', // admin shutdown
  '57P02', // crash shutdown
  '57P03', // cannot connect now
  '57P05', // idle session timeout
  '58000', // system error
  '58030', // I/O error
]);

const isTransientState = (code: string | undefined): boolean =>
  code !== undefined && (transientStates.has(code) || /^(08|53)[0-9A-Z]{3}$/.test(code));

const violations = new Set(['23001', '23503', '23505', '23514', '23P01']);

const networkCodes = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** pg and its pool give these errors no code. */
const driverMessages = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool', // this process is stopping: another takes over
]);

/** https://www.prisma.io/docs/orm/reference/error-reference */
const prismaCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2034', 'P2037']);

/** P2028 stands for misused transactions too, which are bugs. */
const prismaTimeout = /in the given time|expired transaction/;

/** `cause.kind` of the driver adapter's errors. */
const adapterKinds = new Set([
  'ConnectionClosed',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TooManyConnections',
  'TransactionWriteConflict',
]);

interface Layer {
  code: string | undefined;
  originalCode: string | undefined;
  kind: string | undefined;
  constraint: string | undefined;
  message: string;
}

/** The error and all it wraps, outermost first. */
function layers(error: unknown): Layer[] {
  const found: Layer[] = [];
  const seen = new Set<unknown>();
  const queue: unknown[] = [error];
  while (queue.length > 0) {
    const value = queue.shift();
    if (!isRecord(value) || seen.has(value)) continue;
    seen.add(value);
    found.push({
      code: string(value['code']),
      originalCode: string(value['originalCode']),
      kind: string(value['kind']),
      constraint: constraintName(value['constraint']),
      message: string(value['originalMessage']) ?? string(value['message']) ?? '',
    });
    queue.push(value['cause'], isRecord(value['meta']) ? value['meta']['driverAdapterError'] : undefined);
    if (Array.isArray(value['errors'])) queue.push(...(value['errors'] as unknown[]));
  }
  return found;
}

/** pg has the name itself, Prisma's adapter `{ index: name }` or only the fields. */
const constraintName = (value: unknown): string | undefined =>
  string(isRecord(value) ? value['index'] : value);

const string = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
