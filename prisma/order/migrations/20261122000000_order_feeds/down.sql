drop table order_feeds;
alter table order_changes
  alter column at set default now(),
  drop constraint order_changes_order,
  drop constraint order_changes_user_previous,
  drop constraint order_changes_user_sequence,
  drop column previous_user_sequence,
  drop column user_sequence,
  drop column user_id,
  add foreign key (order_id) references orders (id);
drop index orders_open;
drop index orders_user_id;
create index orders_user_id on orders (user_id, id);
