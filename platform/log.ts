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
    ? pino(base)
    : pino(base, { write: (line) => void process.stdout.write(asText(line)) });
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
