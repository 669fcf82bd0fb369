import type { Audit } from './audit.js';
import type { Outcome } from './run.js';

/** A line, and below it the reason where there is one. */
export function lineOf({ verdict, why, audit: { id, level, title } }: Outcome): string {
  const line = `${verdict.padEnd(7)} ${level.padEnd(6)} ${id}: ${title}`;
  return why === undefined ? line : `${line}\n${' '.repeat(15)}${why}`;
}

/** How many there are of each verdict. */
export function summaryOf(outcomes: readonly Outcome[]): string {
  const count = (wanted: Outcome['verdict'], level?: Audit['level']): number =>
    outcomes.filter(({ verdict, audit }) => verdict === wanted && (level ?? audit.level) === audit.level)
      .length;
  const failed = `${count('not ok', 'MUST')} MUST and ${count('not ok', 'SHOULD')} SHOULD not ok`;
  return `${outcomes.length} audits: ${count('ok')} ok, ${failed}, ${count('skipped')} skipped`;
}

/** The catalogue as a table of Markdown. */
export function tableOf(audits: readonly Audit[]): string {
  const rows = [
    ['audit', 'level', 'clause', 'a server'],
    ...audits.map(({ id, level, clause, title }) => [`\`${id}\``, level, clause, title]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(['', '', '', ''], '-'), ...body.map((cells) => line(cells))].join('\n');
}
