import { fields, kinds } from './questions.js';
import type { Verdict } from './verdict.js';

const mostLines = 40;
const longestLine = 1_000;

/** What came of a soak, as text. */
export function reportOf(verdict: Verdict): string {
  const { counts, troubles, subscriptions, gaps, doubles, unfinished, delays, wrong } = verdict;
  const rows: [string, string | number][] = [
    ['subscriptions', subscriptions],
    ['deliveries', counts.deliveries],
    ['  with nulls, since others were away for long', counts.partial],
    ['resumes', counts.resumes],
    ['errors that said to come back', counts.retries],
    ['orders that were not known yet', counts.unknown],
    ...Object.entries(troubles).map(([part, count]): [string, number] => [`trouble: ${part}`, count]),
    ['longest that anything was away', inSeconds(verdict.longestAway)],
    ...kinds.map((kind): [string, string] => {
      const { p50, p99, longest } = delays[kind];
      return [
        `from commit to subscriber of ${fields[kind]}: p50, p99, longest`,
        [p50, p99, longest].map(inSeconds).join('  '),
      ];
    }),
    ['gaps', gaps],
    ['doubles', doubles],
    ['not completed', unfinished],
    ['wrong', wrong.length],
  ];
  const [left, right] = [0, 1].map((column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const table = rows.map(
    ([name, value]) => `${name.padEnd(left ?? 0)}  ${String(value).padStart(right ?? 0)}`,
  );
  const lines = wrong.slice(0, mostLines).map((line) => line.slice(0, longestLine));
  if (wrong.length > mostLines) lines.push(`and ${wrong.length - mostLines} more`);
  return [...table, ...lines].join('\n');
}

/** Whether nothing was missing, double or wrong. */
export const isFine = ({ gaps, doubles, unfinished, wrong }: Verdict): boolean =>
  gaps + doubles + unfinished + wrong.length === 0;

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(3)} s`;
