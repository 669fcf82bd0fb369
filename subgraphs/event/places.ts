import { setTimeout as delay } from 'node:timers/promises';
import DataLoader from 'dataloader';
import { problem } from '../../platform/errors.js';
import type { Reader } from '../../platform/postgres/database.js';

/** How long an event that was published may take to be stored, for who waits for its place. */
const patienceMs = 8_000;
const firstPauseMs = 5;
const longestPauseMs = 100;

/** Places of events that were just published: waits until all of them are stored, with a statement a look for all of them. */
export const placeLoader = (reader: Reader) =>
  new DataLoader<string, string>(async (ids) => {
    const places = new Map<string, string>();
    const until = Date.now() + patienceMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const missing = ids.filter((id) => !places.has(id));
      const rows = await reader.read<{ id: string; place: string }>(
        `select id, xid || '.' || n as place from events where id = any($1::uuid[])`,
        [missing],
      );
      for (const { id, place } of rows) places.set(id, place);
      if (places.size === ids.length || Date.now() >= until) break;
      await delay(pauseMs);
    }
    return ids.map((id) => places.get(id) ?? notYet(id));
  });

const notYet = (id: string) =>
  problem(
    'SERVICE_UNAVAILABLE',
    'The event was published, and has not been stored yet: it has no cursor so far.',
    {
      eventIds: [id],
    },
  );
