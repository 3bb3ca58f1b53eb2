-- Identifiers are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: is_there
select to_regclass(%(name)s) is not null as present

-- name: best
-- One row per target and key: of the version that was promoted, then of the one that backfill.preferences ranks first,
-- then the surest, then the newest.
create or replace view {best} as
select distinct on (found.{id}, {folded_key}) found.*
from {target} as found
left join backfill.preferences on found.{version}::text = preferences.extractor_version
where {is_sure}
order by
    found.{id},
    {folded_key},
    coalesce(
        found.{version}::text = (
            select promoted.extractor_version from backfill.promoted where promoted.backfill = {backfill}
        ),
        false
    ) desc,
    coalesce(preferences.rank, 1000),
    {surest},
    {newest}

-- name: drop_best
drop view {best}

-- name: folded_key
lower(found.{key}::text)

-- name: no_key
found.{version}::text is null

-- name: is_sure
found.{confidence} >= coalesce(preferences.least_confidence, 0)

-- name: surest
found.{confidence} desc nulls last

-- name: newest
found.{created} desc nulls last

-- name: covered
-- How much of the source each version covers.
create view {covered} as
select
    counted.extractor_version,
    counted.targets,
    counted.records,
    counted.targets::real / nullif((select count(*) from {source}), 0) as share
from (
    select
        found.{version}::text as extractor_version,
        count(distinct found.{id}) as targets,
        count(*) as records
    from {target} as found
    group by found.{version}::text
) as counted
