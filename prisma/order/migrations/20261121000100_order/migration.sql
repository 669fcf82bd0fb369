create table products (
  id uuid primary key default uuidv7(),
  name text not null check (length(name) between 1 and 200),
  description text check (length(description) <= 2000),
  price_cents integer not null check (price_cents > 0),
  available boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table orders (
  id uuid primary key default uuidv7(),
  user_id uuid not null,
  status text not null check (status in ('PENDING', 'PAID', 'INSUFFICIENT_FUNDS', 'CANCELLED', 'COMPLETED')),
  -- The order's own copy of its delivery's status, and the number of the change that it was copied from.
  delivery_status text check (delivery_status in
    ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED', 'CANCELLED', 'FAILED')),
  delivery_sequence integer not null default 0 check (delivery_sequence >= 0),
  total_cents bigint not null check (total_cents > 0),
  delivery_address text not null check (length(delivery_address) between 1 and 500),
  -- Counts the order's changes from 1; the cursor of its subscriptions.
  sequence integer not null default 1 check (sequence >= 1),
  -- Both statuses in one, so that a key can hold them: null would slip through.
  state text not null generated always as (status || coalesce('/' || delivery_status, '')) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((delivery_status is null) = (delivery_sequence = 0)),
  -- `is not distinct from`, because a check lets null through.
  check (status <> 'COMPLETED' or delivery_status is not distinct from 'DELIVERED')
);

create index orders_user_id on orders (user_id, id);
create index orders_status on orders (status, id);

create table order_items (
  order_id uuid not null references orders (id),
  position smallint not null check (position between 0 and 99),
  product_id uuid not null references products (id),
  quantity integer not null check (quantity between 1 and 1000),
  -- As it stood when ordered.
  price_cents integer not null check (price_cents > 0),
  primary key (order_id, position)
);

create table order_changes (
  order_id uuid not null references orders (id),
  sequence integer not null check (sequence >= 1),
  status text not null check (status in ('PENDING', 'PAID', 'INSUFFICIENT_FUNDS', 'CANCELLED', 'COMPLETED')),
  delivery_status text check (delivery_status in
    ('PENDING', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED', 'CANCELLED', 'FAILED')),
  state text not null generated always as (status || coalesce('/' || delivery_status, '')) stored,
  at timestamptz not null default now(),
  -- Each change but the first stands on the one before it: the history has no holes.
  previous_sequence integer generated always as (nullif(sequence - 1, 0)) stored,
  primary key (order_id, sequence),
  unique (order_id, sequence, state),
  foreign key (order_id, previous_sequence) references order_changes (order_id, sequence)
);

-- An order is what its last change says.
alter table orders add constraint orders_last_change
  foreign key (id, sequence, state) references order_changes (order_id, sequence, state)
  deferrable initially deferred;
