-- Every movement of money has two sides that sum to zero: an entry of a customer's account, and one of an account
-- of the house. Foreign keys hold each to the other, and each balance to the entries that made it.

create table house_accounts (
  code text primary key
);
-- Where money comes from, and what it was spent on.
insert into house_accounts (code) values ('CASH'), ('SALES');

alter table accounts
  -- How many entries it has.
  add column entries integer not null default 0 check (entries >= 0),
  add column last_entry integer generated always as (nullif(entries, 0)) stored,
  add constraint accounts_begin_empty check (entries > 0 or balance_cents = 0);

alter table ledger_entries
  -- Counts the entries of its account from 1.
  add column sequence integer,
  add column opposite_cents bigint generated always as (-amount_cents) stored;

alter table ledger_entries disable trigger ledger_entries_immutable;
update ledger_entries e set sequence = n.sequence, balance_after_cents = n.balance
from (
  select id, row_number() over (partition by account_id order by id) as sequence,
    sum(amount_cents) over (partition by account_id order by id) as balance
  from ledger_entries
) n where n.id = e.id;
alter table ledger_entries enable trigger ledger_entries_immutable;
update accounts a set entries = n.entries
from (select account_id, count(*) as entries from ledger_entries group by account_id) n where n.account_id = a.id;

alter table ledger_entries
  alter column sequence set not null,
  add column previous_sequence integer generated always as (nullif(sequence - 1, 0)) stored,
  add column balance_before_cents bigint generated always as (balance_after_cents - amount_cents) stored,
  add constraint ledger_entries_sequence check (sequence >= 1),
  add constraint ledger_entries_begin_empty check (sequence > 1 or balance_after_cents = amount_cents),
  add constraint ledger_entries_place unique (account_id, sequence, balance_after_cents),
  add constraint ledger_entries_amount unique (id, amount_cents),
  -- Each entry starts with what the one before it left.
  add constraint ledger_entries_chain foreign key (account_id, previous_sequence, balance_before_cents)
    references ledger_entries (account_id, sequence, balance_after_cents);
create unique index ledger_entries_account_sequence on ledger_entries (account_id, sequence);

-- The balance is what the last entry left.
alter table accounts add constraint accounts_last_entry
  foreign key (id, last_entry, balance_cents) references ledger_entries (account_id, sequence, balance_after_cents)
  deferrable initially deferred;

create table house_entries (
  entry_id uuid primary key,
  account text not null references house_accounts (code),
  amount_cents bigint not null,
  opposite_cents bigint generated always as (-amount_cents) stored,
  constraint house_entries_amount unique (entry_id, amount_cents),
  constraint house_entries_balanced foreign key (entry_id, opposite_cents) references ledger_entries (id, amount_cents)
);
insert into house_entries (entry_id, account, amount_cents)
select id, case kind when 'TOP_UP' then 'CASH' else 'SALES' end, -amount_cents from ledger_entries;

alter table ledger_entries add constraint ledger_entries_balanced
  foreign key (id, opposite_cents) references house_entries (entry_id, amount_cents) deferrable initially deferred;

create trigger house_entries_immutable before update or delete on house_entries
  for each row execute function refuse_change();
create trigger house_entries_kept before truncate on house_entries
  for each statement execute function refuse_change();

-- What is wrong with the ledger: nothing, while the constraints stand.
create view ledger_faults as
  select 'balance' as fault, a.id from accounts a left join ledger_entries e on e.account_id = a.id
  group by a.id having a.balance_cents <> coalesce(sum(e.amount_cents), 0) or a.entries <> count(e.id)
  union all
  select 'movement', coalesce(e.id, h.entry_id) from ledger_entries e full join house_entries h on h.entry_id = e.id
  where coalesce(e.amount_cents, 0) + coalesce(h.amount_cents, 0) <> 0
  union all
  select 'payment', p.id from payments p left join ledger_entries e on e.payment_id = p.id
  group by p.id having count(*) filter (where e.kind = 'CHARGE') <> (p.status in ('SUCCESS', 'REFUNDED'))::int
    or count(*) filter (where e.kind = 'REFUND') <> (p.status = 'REFUNDED')::int
    or coalesce(sum(e.amount_cents), 0) <> case p.status when 'SUCCESS' then -p.amount_cents else 0 end;

-- An order that was called off is never charged, whichever is heard of first.
alter table known_orders add column closed boolean not null default false;
