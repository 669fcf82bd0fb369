alter table orders drop column courier_user_id;
