-- Counts the changes of all orders of a user from 1, under its own lock: the cursor of a subscription to all of them.
create table order_feeds (
  user_id uuid primary key,
  sequence integer not null check (sequence >= 1)
);

-- Whose an order is, in a key that its changes can refer to.
drop index orders_user_id;
create unique index orders_user_id on orders (user_id, id);
create index orders_open on orders (user_id) where status in ('PENDING', 'PAID');

alter table order_changes
  add column user_id uuid,
  add column user_sequence integer check (user_sequence >= 1),
  -- Each change but a user's first stands on the one before it: the feed has no holes.
  add column previous_user_sequence integer generated always as (nullif(user_sequence - 1, 0)) stored,
  -- Closer to the commit than the transaction's beginning, and never before the change that it waited for.
  alter column at set default clock_timestamp();

-- What has happened so far, in the order of its times, but that each order's own order counts first.
with reached as (
  select c.order_id, c.sequence, o.user_id, max(c.at) over (partition by c.order_id order by c.sequence) as at
  from order_changes c join orders o on o.id = c.order_id
), counted as (
  select order_id, sequence, user_id,
    row_number() over (partition by user_id order by at, order_id, sequence) as user_sequence
  from reached
)
update order_changes c set user_id = n.user_id, user_sequence = n.user_sequence
from counted n where n.order_id = c.order_id and n.sequence = c.sequence;

insert into order_feeds (user_id, sequence) select user_id, max(user_sequence) from order_changes group by user_id;

alter table order_changes
  alter column user_id set not null,
  alter column user_sequence set not null,
  drop constraint order_changes_order_id_fkey,
  add constraint order_changes_order foreign key (user_id, order_id) references orders (user_id, id),
  add constraint order_changes_user_sequence unique (user_id, user_sequence),
  add constraint order_changes_user_previous foreign key (user_id, previous_user_sequence)
    references order_changes (user_id, user_sequence);

-- A feed is as long as its last change says.
alter table order_feeds add constraint order_feeds_last_change
  foreign key (user_id, sequence) references order_changes (user_id, user_sequence)
  deferrable initially deferred;
