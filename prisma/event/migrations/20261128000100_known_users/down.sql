drop table known_users;
