const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A timer takes no more than 2^31 - 1 ms, and fires at once when given more. */
const longestMs = 24 * units.d;

/** Reads `500ms`, `2s`, `5m`, `2h`, `7d`; answers milliseconds, or undefined for anything else and for more than 24 days. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  if (!match?.[1] || !match[2]) return undefined;
  const ms = Number(match[1]) * units[match[2] as keyof typeof units];
  return ms > longestMs ? undefined : ms;
}
