import type { Broken } from './broken.js';
import { inConnection } from './connection.js';
import { inHandshake } from './handshake.js';
import { inHeartbeat } from './heartbeat.js';
import { inMessages } from './messages.js';
import { inOperations } from './operations.js';
import { inResumption } from './resumption.js';
import { inStreams } from './streams.js';

/** Servers that are graphql-ws but for one thing. */
export const brokenServers: readonly Broken[] = [
  ...inHandshake,
  ...inConnection,
  ...inHeartbeat,
  ...inMessages,
  ...inOperations,
  ...inStreams,
  ...inResumption,
];

/** What graphql-ws 6.4.2 does not do itself, each with why. */
export const failedByGraphqlWs: Readonly<Record<string, string>> = {
  'malformed/from-client-ack': 'it closes with 4500: it throws for types that only servers send',
  'malformed/from-client-next': 'the same',
  'malformed/from-client-error': 'the same',
  'operation/syntax-error': 'it closes with 4500: graphql-js throws, and nobody catches it',
  'operation/variable-error': 'it sends next with errors, as graphql-js answers',
  'complete/id-again-at-once': "it completes the new operation when the old one's stream ends",
  'complete/id-again-unread': 'it runs all operations that had the id',
  'subscription/duplicate-of-long-id': 'it closes with 4500: the reason has no room for the id',
  'resume/wrong-cursor-message': 'it sends next with errors, as graphql-js answers',
  'resume/wrong-type-message': 'the same',
};
