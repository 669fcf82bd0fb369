drop table ledger_entries;
drop function refuse_change();
drop table payments;
drop table known_orders;
drop table accounts;
