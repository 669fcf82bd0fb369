drop index deliveries_deadline;
alter table deliveries drop column attempts, drop column deadline;
