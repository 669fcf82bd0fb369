alter table deliveries
  -- When it is expected at the door; null while it has no courier.
  add column estimated_at timestamptz,
  add constraint deliveries_estimated check (estimated_at is null or courier_id is not null);
