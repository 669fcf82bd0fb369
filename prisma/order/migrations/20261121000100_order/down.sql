alter table orders drop constraint orders_last_change;
drop table order_changes;
drop table order_items;
drop table orders;
drop table products;
