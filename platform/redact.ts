/** What must never reach a log line, however it is spelled. */
const secrets = new Set(
  ['authorization', 'cookie', 'password', 'accessToken', 'refreshToken', 'privateKey', 'JWT_PRIVATE_KEY'].map(
    (name) => name.toLowerCase(),
  ),
);

/** So far down are they looked for. */
const deepest = 6;

/**
 * A value as it may be logged: the same one where it holds no secret, else a copy. One walk: pino's own `redact`
 * takes wildcards for that, one for each name and depth, and 24 us a line whatever is in it.
 */
export function redacted<T>(value: T, depth = 0): T {
  if (typeof value !== 'object' || value === null || depth > deepest || ArrayBuffer.isView(value))
    return value;
  const object = (hasJson(value) ? value.toJSON() : value) as T;
  if (typeof object !== 'object' || object === null) return object;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(object)) {
    const held = (object as Record<string, unknown>)[key];
    const told = isSecret(key) ? '[Redacted]' : redacted(held, depth + 1);
    if (told === held) continue;
    copy ??= (Array.isArray(object) ? [...object] : { ...object }) as unknown as Record<string, unknown>;
    copy[key] = told;
  }
  return (copy ?? object) as T;
}

/** Names that have been looked at, without regard to case; lines have a few hundred of them. */
const known = new Map<string, boolean>();
const mostKnown = 5_000;

function isSecret(name: string): boolean {
  const before = known.get(name);
  if (before !== undefined) return before;
  const is = secrets.has(name.toLowerCase());
  if (known.size < mostKnown) known.set(name, is);
  return is;
}

const hasJson = (value: object): value is { toJSON(): unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function';
