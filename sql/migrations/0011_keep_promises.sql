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

-- What a slice may cost at most, by all that is known when it goes out: with what was spent it stays within what was
-- approved. One by one it is what the rows in flight may cost.
alter table backfill.slices add column reserved_usd numeric not null default 0;

update backfill.slices
set reserved_usd = slices.estimated_usd
where slices.state in ('reserved', 'submitted') and slices.transport = 'batch';

-- In which flow run a person gave the amount: there it holds; a later one may lower it.
alter table backfill.runs add column approved_in text;
