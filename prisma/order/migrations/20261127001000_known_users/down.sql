delete from order_feeds where sequence is null;
alter table order_feeds drop constraint order_feeds_begun, drop column closed, alter column sequence set not null;
drop table known_users;
