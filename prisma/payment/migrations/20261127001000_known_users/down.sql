alter table accounts drop column closed_at;
drop table known_users;
