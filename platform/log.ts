import { type Logger, pino } from 'pino';

export type Log = Logger;

/** What must never reach a log line, at the top of a logged object or up to three levels down. */
const secrets = [
  'authorization',
  'cookie',
  'password',
  'accessToken',
  'refreshToken',
  'privateKey',
  'JWT_PRIVATE_KEY',
];
const redact = ['', '*.', '*.*.', '*.*.*.'].flatMap((depth) => secrets.map((name) => `${depth}${name}`));

/** The process's log: one JSON object a line, or one readable line with `text`. */
export function createLog(options: { level: string; format: 'json' | 'text'; app: string }): Log {
  const base = {
    level: options.level,
    base: { app: options.app },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return options.format === 'json'
    ? pino(base, gathered())
    : pino(base, { write: (line) => void process.stdout.write(asText(line)) });
}

/** So long after the first of them debug lines leave together. */
const gatherMs = 50;
const debugLevel = pino.levels.values['debug'] ?? 0;
const mostGathered = 64 * 1024;

/**
 * Stdout, which gets each line at once, but for debug lines and below: every request has one, and a system call
 * for each costs more than the line. They keep their place among the others, and the end of the process loses none.
 */
function gathered() {
  const stdout = pino.destination({ fd: 1, sync: true });
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  function send(): void {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== '') stdout.write(lines);
    lines = '';
  }
  process.once('exit', send);
  return {
    // pino then says here which level a line has.
    [pino.symbols.needsMetadataGsym]: true as const,
    lastLevel: 0,
    write(line: string) {
      lines += line;
      if (this.lastLevel > debugLevel || lines.length > mostGathered) send();
      else timer ??= setTimeout(send, gatherMs).unref();
    },
  };
}

/** `12:03:11 info  order: listening port=4001` */
function asText(line: string): string {
  const { level, time, app: _, msg, service, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const who = typeof service === 'string' ? `${service}: ` : '';
  const fields = Object.entries(rest).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const trace = isError(err) ? `\n  ${err.stack ?? err.message}` : '';
  return `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${who}${msg ?? ''}${fields.join('')}${trace}\n`;
}

const isError = (value: unknown): value is { message: string; stack?: string } =>
  typeof value === 'object' && value !== null && 'message' in value;
