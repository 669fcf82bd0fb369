import { type ChildLoggerOptions, type Logger, pino } from 'pino';
import { redacted } from './redact.js';

export type Log = Logger;

/** The process's log: one JSON object a line, or one readable line with `text`. */
export function createLog(options: { level: string; format: 'json' | 'text'; app: string }): Log {
  const base = {
    level: options.level,
    base: { app: options.app },
    timestamp: isoTime(),
    formatters: {
      level: (label: string) => ({ level: label }),
      log: redactedLine,
    },
    // Lines come to it with their error as it is to be written.
    serializers: { err: (error: unknown) => error },
  };
  const log =
    options.format === 'json'
      ? pino(base, gathered())
      : pino(base, { write: (line) => void process.stdout.write(asText(line)) });
  return withRedactedChildren(log);
}

/** The same as pino's own, made once for all lines of a millisecond. */
function isoTime(): () => string {
  let ms = Number.NaN;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== ms) {
      ms = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

type MakeChild = (this: Log, bindings: Record<string, unknown>, options?: ChildLoggerOptions) => Log;

/** What a child adds to each of its lines is written when it is made, and no formatter is asked. */
function withRedactedChildren(log: Log): Log {
  const makeChild = log.child as unknown as MakeChild;
  const child: MakeChild = function (bindings, options) {
    return makeChild.call(this, redactedLine(bindings), options);
  };
  return Object.assign(log, { child }) as Log;
}

/** An error becomes an object first: what else it carries is looked through too. */
function redactedLine(line: Record<string, unknown>): Record<string, unknown> {
  const { err } = line;
  return redacted(err instanceof Error ? { ...line, err: pino.stdSerializers.err(err) } : line);
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
