-- Trusted: whoever owns the database may.
create extension if not exists pg_trgm;

alter table users
  -- Null once the account is deleted: what was personal is gone, and the address is free.
  alter column email drop not null,
  alter column password_hash drop not null,
  alter column first_name drop not null,
  alter column last_name drop not null,
  add column deleted_at timestamptz,
  add constraint users_erased check (
    num_nulls(email, password_hash, first_name, last_name) = case when deleted_at is null then 0 else 4 end),
  -- Counts the account's changes from 1.
  add column version integer not null default 1 check (version >= 1),
  -- Counts, from 1, how often what the user may do has changed: access tokens of before are over.
  add column rights integer not null default 1 check (rights >= 1),
  add column rights_at timestamptz not null default now(),
  add column search text generated always as (lower(first_name || ' ' || last_name || ' ' || email)) stored;

create index users_search on users using gin (search gin_trgm_ops);
create index users_admins on users (id) where role = 'ADMIN' and deleted_at is null;
create index users_rights_at on users (rights_at) where rights > 1;

-- A token that has been used stays until it ends, so that its second use is seen.
alter table refresh_tokens add column used_at timestamptz;
create index refresh_tokens_family_id on refresh_tokens (family_id);
create unique index refresh_tokens_unused on refresh_tokens (family_id) where used_at is null;

-- Wrong passwords of late: the last of an account or of a client's address, by the hash of that.
create table throttles (
  subject text primary key,
  -- So many are let pass.
  most integer not null check (most >= 1),
  failures timestamptz[] not null check (cardinality(failures) between 1 and most),
  updated_at timestamptz not null default now()
);

create index throttles_updated_at on throttles (updated_at);
