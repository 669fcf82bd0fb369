-- Where a change stands among those of all deliveries: by the transaction that wrote it, then by a number. Who reads
-- only what is older than the oldest transaction under way never passes one that commits late. A transaction may be
-- older than one that it waited for: then the change takes the place of the one before it (see decision 012).
alter table delivery_changes
  add column xid xid8 not null default pg_current_xact_id(),
  add column id bigint,
  -- Who had it then.
  add column courier_id uuid references couriers (id),
  -- Closer to the commit than the transaction's beginning, and never before the change that it waited for.
  alter column at set default clock_timestamp();

-- What has happened so far was, for the feed, written just now: in the order of its times, but that each delivery's
-- own order counts first.
with reached as (
  select delivery_id, sequence, max(at) over (partition by delivery_id order by sequence) as at from delivery_changes
), counted as (
  select delivery_id, sequence, row_number() over (order by at, delivery_id, sequence) as id from reached
)
update delivery_changes c set id = n.id, courier_id = case when c.sequence > 1 then d.courier_id end
from counted n join deliveries d on d.id = n.delivery_id
where n.delivery_id = c.delivery_id and n.sequence = c.sequence;

alter table delivery_changes alter column id set not null;
alter table delivery_changes alter column id add generated always as identity;
select setval(pg_get_serial_sequence('delivery_changes', 'id'), coalesce(max(id), 0) + 1, false) from delivery_changes;

create unique index delivery_changes_feed on delivery_changes (xid, id);
