-- Backfills that a person has paused: nothing new is sent of any version, what is in flight is collected.
create table backfill.pauses (
    backfill text primary key,
    since timestamptz not null default now()
);
