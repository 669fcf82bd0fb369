-- As long as the input may be (platform/reason.ts).
alter table delivery_changes add constraint delivery_changes_reason_check check (length(reason) between 1 and 500);
