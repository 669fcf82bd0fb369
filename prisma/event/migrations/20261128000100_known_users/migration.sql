-- What this service has heard of users since they registered.
create table known_users (
  user_id uuid primary key,
  -- Null once the account was deleted.
  role text check (role in ('CUSTOMER', 'COURIER', 'DISPATCHER', 'ADMIN')),
  -- How often what the user may do has changed, from 1: of two events the one with more is the later one.
  rights integer not null check (rights >= 1),
  rights_at timestamptz not null default now()
);

create index known_users_rights_at on known_users (rights_at);
