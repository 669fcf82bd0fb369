-- Every event there has been, by the month of its own time. The months are made by the service, ahead of their time
-- (subgraphs/event/partitions.ts).
create table events (
  id uuid not null,
  -- When it happened, as it says itself.
  at timestamptz not null,
  type text not null check (length(type) between 1 and 200),
  source text not null,
  -- What it is about, where it says so.
  subject text,
  topic text not null,
  user_id uuid,
  order_id uuid,
  -- The account of the courier that an event of a delivery names.
  courier_user_id uuid,
  -- As it came: nothing looks inside. Null once its user has been erased.
  data json,
  -- Where it stands among all events: by the transaction that stored it, then by a number (see decision 012).
  xid xid8 not null default pg_current_xact_id(),
  n bigint generated always as identity,
  stored_at timestamptz not null default clock_timestamp(),
  -- Whether an order's timeline tells it: where a courier is goes on and on.
  milestone boolean not null generated always as (type <> 'courier.location.updated') stored,
  -- An event that comes again has the same time. The inbox knows one that would come with another.
  primary key (id, at)
) partition by range (at);

-- For the odd ones: of a time that no month was made for.
create table events_other partition of events default;

create index events_at on events (at, id);
create index events_type on events (type, at, id);
create index events_user_id on events (user_id, at, id) where user_id is not null;
create index events_order_id on events (order_id, milestone, at, id) where order_id is not null;
create index events_place on events (xid, n);

create function events_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    old.data := null;
    -- The generated column has no value yet.
    new.milestone := old.milestone;
    if new *= old then return new; end if;
  end if;
  raise exception 'events are never changed, but for the data of an erased user';
end $$;

create trigger events_append_only before update or delete on events
  for each row execute function events_append_only();

-- Whose events are stored without data from now on.
create table erased_users (
  user_id uuid primary key,
  erased_at timestamptz not null default now()
);

-- How many there have been of each type: kept, because to count them would take ever longer.
create table event_counts (
  type text primary key,
  stored bigint not null default 0 check (stored >= 0),
  -- Those that publishEvent and publishEvents were given and could not publish.
  failed bigint not null default 0 check (failed >= 0)
);
