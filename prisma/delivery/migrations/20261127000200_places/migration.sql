-- When it is expected at the door. It means nothing without a courier; a replica of before, which takes a delivery off its
-- courier, does not know of it.
alter table deliveries add column estimated_at timestamptz;
