-- A slice may be brought to its end on another machine: `tries` counts the flow runs that were started
-- for it there, `stopped_by` keeps what has to stop the whole run, for the parent to read.
alter table backfill.slices
add column tries integer not null default 0,
add column stopped_by text check (stopped_by in ('budget', 'quota', 'rejected'));
