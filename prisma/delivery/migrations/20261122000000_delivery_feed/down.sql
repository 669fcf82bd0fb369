drop index delivery_changes_feed;
alter table delivery_changes
  alter column at set default now(),
  drop column courier_id,
  drop column id,
  drop column xid;
