alter table deliveries drop column last_courier_id, drop column estimated_at;
