alter table deliveries drop constraint deliveries_last_change;
drop table delivery_changes;
drop table deliveries;
drop table known_orders;
drop table couriers;
