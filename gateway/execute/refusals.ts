import type { GraphQLError } from 'graphql';
import { problem } from '../../platform/errors.js';

/** The refusal of a subscription that came as a request. */
export const subscriptionsElsewhere = (): GraphQLError =>
  problem(
    'GRAPHQL_VALIDATION_FAILED',
    'Subscriptions are served over a WebSocket at this address (graphql-transport-ws).',
    { http: { status: 400 } },
  );
