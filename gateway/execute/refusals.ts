import type { GraphQLError } from 'graphql';
import { problem } from '../../platform/errors.js';

/** The refusal of a subscription that came as a request. */
export const subscriptionsElsewhere = (): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    'Subscriptions are served over a WebSocket at this address (graphql-transport-ws), and as a stream to who accepts text/event-stream, or multipart/mixed with subscriptionSpec=1.0.',
    { http: { status: 400 } },
  );
