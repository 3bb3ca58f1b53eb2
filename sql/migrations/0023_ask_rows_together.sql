-- So many rows travel in one request of a slice's job; what was asked before is asked alone.
alter table backfill.slices add column rows_per_request smallint not null default 1
check (rows_per_request between 1 and 20);
