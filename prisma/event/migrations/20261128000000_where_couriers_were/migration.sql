-- Where a courier was is erased with the courier's account.
create index events_courier_user_id on events (courier_user_id) where courier_user_id is not null and not milestone;
