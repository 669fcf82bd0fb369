drop index events_courier_user_id;
