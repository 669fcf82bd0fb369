alter table couriers
  add column phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  add column transport text not null default 'BICYCLE' check (transport in ('FOOT', 'BICYCLE', 'SCOOTER', 'CAR')),
  -- Gets no more deliveries; what it has it brings to the end.
  add column off_duty boolean not null default false,
  -- Where it was last.
  add column latitude double precision check (latitude between -90 and 90),
  add column longitude double precision check (longitude between -180 and 180),
  add column located_at timestamptz,
  add constraint couriers_location check (
    (latitude is null) = (longitude is null) and (latitude is null) = (located_at is null));

create index couriers_free on couriers (free_since, id) where not off_duty;
create index deliveries_courier_id on deliveries (courier_id, id);
create index deliveries_status on deliveries (status, id);
