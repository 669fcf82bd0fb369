drop table idempotency_keys;
drop table inbox;
drop table outbox;
drop function notify_outbox();
