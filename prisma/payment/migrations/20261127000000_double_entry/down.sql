alter table known_orders drop column closed;
drop view ledger_faults;
alter table ledger_entries drop constraint ledger_entries_balanced;
drop table house_entries;
alter table accounts drop constraint accounts_last_entry;
alter table ledger_entries
  drop constraint ledger_entries_chain,
  drop constraint ledger_entries_amount,
  drop constraint ledger_entries_place,
  drop column balance_before_cents,
  drop column previous_sequence,
  drop column opposite_cents,
  drop column sequence;
alter table accounts drop column last_entry, drop column entries;
drop table house_accounts;
