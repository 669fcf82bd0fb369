-- The account of the courier that brings it, or brought it: it may read the order.
alter table orders add column courier_user_id uuid;
