alter table deliveries drop column estimated_at;
