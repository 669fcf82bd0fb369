import { createLog, type Log } from '../log.js';

/** A log that says nothing. */
export const silent: Log = createLog({ level: 'silent', format: 'json', app: 'test' });
