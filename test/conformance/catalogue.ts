import type { Audit } from './audit.js';
import { closing } from './audits/closing.js';
import { completion } from './audits/completion.js';
import { connection } from './audits/connection.js';
import { handshake } from './audits/handshake.js';
import { heartbeat } from './audits/heartbeat.js';
import { malformed } from './audits/malformed.js';
import { operations } from './audits/operations.js';
import { resumption } from './audits/resumption.js';
import { subscriptions } from './audits/subscriptions.js';

/** Every audit: of the protocol, and last of subscriptions that can be resumed. */
export const catalogue: readonly Audit[] = [
  ...handshake,
  ...connection,
  ...heartbeat,
  ...malformed,
  ...operations,
  ...completion,
  ...subscriptions,
  ...closing,
  ...resumption,
];
