-- name: put
insert into backfill.pauses (backfill) values (%(backfill)s)
on conflict (backfill) do nothing;

-- name: lift
delete from backfill.pauses
where pauses.backfill = %(backfill)s
returning pauses.since;

-- name: since
select pauses.since from backfill.pauses
where pauses.backfill = %(backfill)s;
