drop table throttles;
drop index refresh_tokens_unused, refresh_tokens_family_id;
-- To a replica of before, one that has been used is as good as any.
delete from refresh_tokens where used_at is not null;
alter table refresh_tokens drop column used_at;
drop index users_search, users_admins, users_rights_at;
-- Without an address and a name there is no account here.
delete from users where deleted_at is not null;
alter table users
  drop constraint users_erased,
  drop column search, drop column rights_at, drop column rights, drop column version, drop column deleted_at,
  alter column last_name set not null,
  alter column first_name set not null,
  alter column password_hash set not null,
  alter column email set not null;
drop extension pg_trgm;
