-- What this service has heard of users since they registered.
create table known_users (
  user_id uuid primary key,
  -- Null once the account was deleted.
  role text check (role in ('CUSTOMER', 'COURIER', 'DISPATCHER', 'ADMIN')),
  -- How often what the user may do has changed, from 1: of two events the one with more is the later one.
  rights integer not null check (rights >= 1),
  rights_at timestamptz not null default now(),
  -- All that was personal in their orders is gone.
  erased_at timestamptz,
  constraint known_users_erased check (erased_at is null or role is null)
);

create index known_users_rights_at on known_users (rights_at);
create index known_users_unerased on known_users (user_id) where role is null and erased_at is null;

-- Whose account was deleted orders no more, and may never have.
alter table order_feeds
  alter column sequence drop not null,
  add column closed boolean not null default false,
  add constraint order_feeds_begun check (sequence is not null or closed);
