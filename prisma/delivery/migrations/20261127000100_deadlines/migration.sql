alter table deliveries
  -- When it is taken off its courier; null while it has none.
  add column deadline timestamptz,
  -- How many couriers have let it pass.
  add column attempts integer not null default 0 check (attempts >= 0);

create index deliveries_deadline on deliveries (deadline)
  where courier_id is not null and status in ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY');
