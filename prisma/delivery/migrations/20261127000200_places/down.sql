alter table deliveries drop constraint deliveries_estimated, drop column estimated_at;
