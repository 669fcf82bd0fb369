import DataLoader from 'dataloader';
import { customEvent } from '../../events/custom.js';
import { deliveryStatusUpdated } from '../../events/delivery.js';
import type { PageRequest } from '../../platform/graphql/connection.js';
import { memo, rowLoader, rowsLoader } from '../../platform/graphql/loader.js';
import type { Reader } from '../../platform/postgres/database.js';
import { placeLoader } from './places.js';
import type { CountRow, EventRow } from './rows.js';

/** The columns of an event `e`. */
export const eventColumns = `e.id, e.type, e.source, e.subject, e.user_id as "userId", e.order_id as "orderId", e.data, e.at,
  e.xid || '.' || e.n as place`;

/** Which events are listed or watched; null is any. */
export interface EventFilter {
  type: string | null;
  userId: string | null;
  orderId: string | null;
  since: Date | null;
  until: Date | null;
}

/** Statements are made once: they are found by their text, and each new text has to be read for that. */
const statements = {
  event: `select ${eventColumns} from events e where e.id = any($1::uuid[])`,
  /** Of every type there has been. */
  counts: 'select type, stored, failed from event_counts order by stored desc, type',
  /** Those of each user that come after one, newest first; where couriers were is left out where that is asked for. */
  ofUsers: `select n.* from unnest($1::uuid[]) as u (id) cross join lateral (
      select ${eventColumns} from events e where e.user_id = u.id and ($4 or e.milestone)
        and ($2::uuid is null or (e.at, e.id) < ((select at from events where id = $2), $2))
      order by e.at desc, e.id desc limit $3) n`,
  countOfUsers: `select user_id as id, count(*) from events where user_id = any($1::uuid[]) and ($2 or milestone)
    group by user_id`,
  /** The first milestones of each order, a row for each, with whose it is and, as far as is known, who brings it. */
  timelines: `select o.id as "timelineOf", owner.id as "ownerId", courier.id as "courierUserId", n.*
    from unnest($1::uuid[]) as o (id)
    left join lateral (
      select user_id as id from events where order_id = o.id and milestone and topic <> '${customEvent.topic}'
        and user_id is not null order by at, id limit 1) owner on true
    left join lateral (
      select courier_user_id as id from events where order_id = o.id and milestone
        and topic = '${deliveryStatusUpdated.topic}' order by at desc, id desc limit 1) courier on true
    left join lateral (
      select ${eventColumns} from events e where e.order_id = o.id and e.milestone
      order by e.at, e.id limit $2) n on true
    order by n.at, n.id`,
};

/** An event of an order's timeline; of one without events, what else is known of the order. */
export interface TimelineRow extends EventRow {
  timelineOf: string;
  ownerId: string | null;
  courierUserId: string | null;
}

/** The filter as SQL. Only what is asked for stands in it, so that each shape has a plan of its own. */
function where(filter: EventFilter, values: unknown[]): string {
  const conditions = ['true'];
  const add = (condition: string, value: unknown) => {
    if (value !== null) conditions.push(`${condition} $${values.push(value)}`);
  };
  add('e.type =', filter.type);
  add('e.user_id =', filter.userId);
  add('e.order_id =', filter.orderId);
  add('e.at >=', filter.since);
  add('e.at <', filter.until);
  return conditions.join(' and ');
}

/** The lists and loaders of one request. */
export function createLoaders(reader: Reader) {
  const pages = memo((key) => {
    const { page, positions } = JSON.parse(key) as { page: PageRequest; positions: boolean };
    return rowsLoader(
      (ids) => reader.read<EventRow>(statements.ofUsers, [ids, page.after, page.first + 1, positions]),
      ({ userId }) => userId ?? '',
    );
  });
  const counts = memo(
    (positions) =>
      new DataLoader<string, number>(async (ids) => {
        const rows = await reader.read<{ id: string; count: number }>(statements.countOfUsers, [
          ids,
          positions === 'true',
        ]);
        const found = new Map(rows.map(({ id, count }) => [id, count]));
        return ids.map((id) => found.get(id) ?? 0);
      }),
  );
  const timelines = memo((first) =>
    rowsLoader(
      (ids) => reader.read<TimelineRow>(statements.timelines, [ids, Number(first)]),
      ({ timelineOf }) => timelineOf,
    ),
  );
  return {
    place: placeLoader(reader),
    event: rowLoader(
      (ids) => reader.read<EventRow>(statements.event, [ids]),
      ({ id }) => id,
    ),
    /** The loaders of `User.events` for one page, with where couriers were or without. */
    eventsOfUser: (page: PageRequest, positions: boolean) => ({
      rows: pages(JSON.stringify({ page, positions })),
      counts: counts(String(positions)),
    }),
    counts: () => reader.read<CountRow>(statements.counts, []),
    timeline: (first: number) => timelines(String(first)),
    /** A page of events, newest first, with one row more than asked for. */
    events(filter: EventFilter, { after, first }: PageRequest): Promise<EventRow[]> {
      const values: unknown[] = [];
      const conditions = where(filter, values);
      const past = after === null ? '' : `and ${before(`$${values.push(after)}::uuid`)}`;
      const text = `select ${eventColumns} from events e where ${conditions} ${past}
        order by e.at desc, e.id desc limit $${values.push(first + 1)}`;
      return reader.read<EventRow>(text, values);
    },
    async eventCount(filter: EventFilter): Promise<number> {
      const values: unknown[] = [];
      const text = `select count(*) from events e where ${where(filter, values)}`;
      const [row] = await reader.read<{ count: number }>(text, values);
      return row?.count ?? 0;
    },
  };
}

export type Loaders = ReturnType<typeof createLoaders>;

/** Before that event in time: where it is gone, so is what was before it. */
const before = (id: string): string =>
  `(e.at, e.id) < ((select at from events where id = ${id}), ${id}) and e.at <= (select at from events where id = ${id})`;
