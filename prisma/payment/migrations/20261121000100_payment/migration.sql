create table accounts (
  id uuid primary key default uuidv7(),
  user_id uuid not null unique,
  -- Never negative, and small enough to be exact in JavaScript.
  balance_cents bigint not null default 0
    constraint accounts_balance check (balance_cents between 0 and 900000000000000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Whose an order is, known before its charge is decided.
create table known_orders (
  order_id uuid primary key,
  user_id uuid not null
);

create table payments (
  id uuid primary key default uuidv7(),
  -- One payment an order, whatever happens.
  order_id uuid not null unique,
  user_id uuid not null,
  account_id uuid not null references accounts (id),
  status text not null check (status in ('SUCCESS', 'INSUFFICIENT_FUNDS', 'REFUNDED')),
  amount_cents bigint not null check (amount_cents > 0),
  created_at timestamptz not null default now(),
  refunded_at timestamptz,
  check ((status = 'REFUNDED') = (refunded_at is not null))
);

create index payments_account_id on payments (account_id);

create table ledger_entries (
  id uuid primary key default uuidv7(),
  account_id uuid not null references accounts (id),
  kind text not null check (kind in ('TOP_UP', 'CHARGE', 'REFUND')),
  -- Signed: what was taken is negative.
  amount_cents bigint not null,
  balance_after_cents bigint not null check (balance_after_cents >= 0),
  payment_id uuid references payments (id),
  created_at timestamptz not null default now(),
  check ((kind = 'CHARGE') = (amount_cents < 0) and amount_cents <> 0),
  check ((kind = 'TOP_UP') = (payment_id is null)),
  -- A payment is charged once and refunded once.
  unique (payment_id, kind)
);

create index ledger_entries_account_id on ledger_entries (account_id, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'ledger entries are never changed';
end $$;

create trigger ledger_entries_immutable before update or delete on ledger_entries
  for each row execute function refuse_change();
create trigger ledger_entries_kept before truncate on ledger_entries
  for each statement execute function refuse_change();
