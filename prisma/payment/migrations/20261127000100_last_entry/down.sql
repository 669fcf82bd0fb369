drop trigger payments_status_moves on payments;
drop function refuse_status();
drop trigger accounts_entries_grow on accounts;
drop function refuse_fewer_entries();
drop trigger ledger_entries_counted on ledger_entries;
drop function refuse_uncounted_entry();
