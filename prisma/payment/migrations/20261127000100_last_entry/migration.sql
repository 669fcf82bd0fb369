-- An account's last entry is the last there is: it counts no fewer entries than there are, and never fewer than before.
-- With the chain of entries, and the balance that is the last one's, each balance is the sum of its entries.
create function refuse_uncounted_entry() returns trigger language plpgsql as $$
begin
  if not exists (select from accounts where id = new.account_id and entries >= new.sequence) then
    raise exception 'entry % of account % is not counted', new.sequence, new.account_id
      using errcode = 'check_violation', constraint = 'ledger_entries_counted';
  end if;
  return null;
end $$;
create constraint trigger ledger_entries_counted after insert on ledger_entries
  deferrable initially deferred for each row execute function refuse_uncounted_entry();

create function refuse_fewer_entries() returns trigger language plpgsql as $$
begin
  raise exception 'account % has % entries, not %', new.id, old.entries, new.entries
    using errcode = 'check_violation', constraint = 'accounts_entries_grow';
end $$;
create trigger accounts_entries_grow before update of entries on accounts
  for each row when (new.entries < old.entries) execute function refuse_fewer_entries();

-- What was charged can be given back, once; nothing else about a payment's status changes.
create function refuse_status() returns trigger language plpgsql as $$
begin
  raise exception 'a payment that is % cannot become %', old.status, new.status
    using errcode = 'check_violation', constraint = 'payments_status_moves';
end $$;
create trigger payments_status_moves before update of status on payments
  for each row when (old.status <> new.status and not (old.status = 'SUCCESS' and new.status = 'REFUNDED'))
  execute function refuse_status();
