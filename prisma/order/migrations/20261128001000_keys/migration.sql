-- As long as the input may be (platform/idempotency.ts).
alter table idempotency_keys add constraint idempotency_keys_key_check check (length(key) between 1 and 200);
