import { pino } from 'pino';
import { createLog, type Log } from '../log.js';

/** A log that says nothing. */
export const silent: Log = createLog({ level: 'silent', format: 'json', app: 'test' });

/** A log whose lines are kept, as objects. */
export function recordingLog(level = 'info'): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level, base: null, timestamp: false, formatters: { level: (label: string) => ({ level: label }) } },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { log, lines };
}
