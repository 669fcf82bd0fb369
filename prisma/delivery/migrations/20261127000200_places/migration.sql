-- When it is expected at the door. It means nothing without a courier; a replica of before, which takes a delivery off its
-- courier, does not know of it.
alter table deliveries add column estimated_at timestamptz;
-- The courier that it was taken off last: it goes to another one, if there is one.
alter table deliveries add column last_courier_id uuid references couriers (id);
