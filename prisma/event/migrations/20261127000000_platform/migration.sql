-- What every service keeps beside its own tables: events on their way out, events already handled,
-- and the answers of mutations that a client may repeat.

create table outbox (
  id bigint generated always as identity primary key,
  event_id uuid not null,
  topic text not null,
  key text not null,
  value text not null,
  headers jsonb not null,
  created_at timestamptz not null default now()
);

create function notify_outbox() returns trigger language plpgsql as $$
begin
  perform pg_notify('outbox', '');
  return null;
end $$;

create trigger outbox_notify after insert on outbox for each statement execute function notify_outbox();

create table inbox (
  group_name text not null,
  event_id uuid not null,
  handled_at timestamptz not null default now(),
  primary key (group_name, event_id)
);

create index inbox_handled_at on inbox (handled_at);

create table idempotency_keys (
  user_id uuid not null,
  mutation text not null,
  key text not null,
  input_hash text not null,
  result_id uuid,
  created_at timestamptz not null default now(),
  primary key (user_id, mutation, key)
);

create index idempotency_keys_created_at on idempotency_keys (created_at);
