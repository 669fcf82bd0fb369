create table couriers (
  id uuid primary key default uuidv7(),
  name text not null check (length(name) between 1 and 100),
  -- The account of role COURIER that acts for this courier.
  user_id uuid unique,
  -- When its last delivery ended: who has waited longest is next.
  free_since timestamptz not null default now(),
  created_at timestamptz not null default now()
);

-- What this service has heard of an order, from events that come in any order.
create table known_orders (
  order_id uuid primary key,
  user_id uuid not null,
  -- Null until the order's own event has come.
  address text,
  -- Null until the payment's event has come.
  paid boolean,
  -- Nothing will be delivered, or nothing more.
  closed boolean not null default false
);

create table deliveries (
  id uuid primary key default uuidv7(),
  -- One delivery an order.
  order_id uuid not null unique references known_orders (order_id),
  user_id uuid not null,
  courier_id uuid references couriers (id),
  status text not null check (status in
    ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED', 'CANCELLED', 'FAILED')),
  address text not null,
  -- Counts the delivery's changes from 1; the cursor of its subscriptions.
  sequence integer not null default 1 check (sequence >= 1),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Nothing moves without a courier.
  check (courier_id is not null or status in ('PENDING', 'CANCELLED', 'FAILED'))
);

-- A courier has at most one delivery at a time.
create unique index deliveries_active_courier on deliveries (courier_id)
  where status in ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY');
create index deliveries_waiting on deliveries (id) where courier_id is null and status = 'PENDING';
create index deliveries_moving on deliveries (updated_at)
  where courier_id is not null and status in ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY');
create index deliveries_user_id on deliveries (user_id, id);

create table delivery_changes (
  delivery_id uuid not null references deliveries (id),
  sequence integer not null check (sequence >= 1),
  previous text,
  status text not null check (status in
    ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED', 'CANCELLED', 'FAILED')),
  at timestamptz not null default now(),
  reason text,
  by text not null check (by in ('customer', 'courier', 'dispatcher', 'system')),
  previous_sequence integer generated always as (nullif(sequence - 1, 0)) stored,
  primary key (delivery_id, sequence),
  unique (delivery_id, sequence, status),
  check ((previous is null) = (sequence = 1)),
  -- Each change starts where the one before it ended: the history has no holes.
  foreign key (delivery_id, previous_sequence, previous)
    references delivery_changes (delivery_id, sequence, status)
);

-- A delivery is what its last change says.
alter table deliveries add constraint deliveries_last_change
  foreign key (id, sequence, status) references delivery_changes (delivery_id, sequence, status)
  deferrable initially deferred;
