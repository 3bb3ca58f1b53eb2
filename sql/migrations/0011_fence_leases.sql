-- The right to act on a run or a slice, until a time by this database's clock. Whoever takes it over changes the epoch:
-- from then on the former holder's transactions fail. No session holds anything.
create table backfill.leases (
    name text primary key,
    epoch text not null,
    holder text not null,
    -- Where the holder's process is, so that one that is gone is followed at once: null where nobody can know.
    machine text,
    process_id integer,
    process_began text,
    until timestamptz not null
);
