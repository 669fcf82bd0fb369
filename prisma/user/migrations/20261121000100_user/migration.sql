create table users (
  id uuid primary key default uuidv7(),
  -- Kept in lower case, so that an address is unique without regard to case.
  email text not null unique check (email = lower(email) and length(email) <= 254),
  password_hash text not null,
  first_name text not null check (length(first_name) between 1 and 100),
  last_name text not null check (length(last_name) between 1 and 100),
  role text not null default 'CUSTOMER' check (role in ('CUSTOMER', 'COURIER', 'DISPATCHER', 'ADMIN')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Only the hash of a refresh token is kept: who reads this table can not log in with it.
create table refresh_tokens (
  token_hash text primary key,
  user_id uuid not null references users (id) on delete cascade,
  -- All tokens that follow from one login.
  family_id uuid not null default uuidv7(),
  expires_at timestamptz not null,
  created_at timestamptz not null default now()
);

create index refresh_tokens_user_id on refresh_tokens (user_id);
create index refresh_tokens_expires_at on refresh_tokens (expires_at);
