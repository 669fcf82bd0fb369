drop table event_counts;
drop table erased_users;
drop table events;
drop function events_append_only();
