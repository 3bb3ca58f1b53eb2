-- Identifiers and the site owner's own conditions are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: keep_before
-- What our columns hold, as texts: once, before we first fill them in.
insert into backfill.filled (backfill, extractor_version, target_id, before)
select distinct on ({id}) %(backfill)s, %(extractor_version)s, {id}::text, jsonb_build_object({texts})
from {target}
where {id} in (select staged.{own_id} from staged)
on conflict (target_id, extractor_version, backfill) do update set written = null

-- name: fill_in
-- Our columns and no other, all of them in one update; what stands then is ours, whatever a trigger made of it.
with applied as (
    update {target} set {from_staged}
    from staged
    where {id} = staged.{own_id}
    returning {id}::text as target_id, jsonb_build_object({hashes}) as written
)
update backfill.filled
set written = applied.written, filled_at = now()
from applied
where
    filled.target_id = applied.target_id
    and filled.backfill = %(backfill)s
    and filled.extractor_version = %(extractor_version)s

-- name: read_back
-- What stands of what was filled in: nothing where a trigger let none through.
select
    {id}::text as target_id,
    case when {is_done} then {hashed} end as fingerprint,
    1 as records
from {target}
where
    {id} = any(%(target_ids)s)
    and exists (
        select 1 from backfill.filled
        where
            filled.target_id = {id}::text
            and filled.backfill = %(backfill)s
            and filled.extractor_version = %(extractor_version)s
            and filled.written is not null
    )

-- name: corrected
-- Rows that count as not done, and hold a value that is neither ours nor what stood there before.
select {id}::text as target_id
from {target}
where
    {id} = any(%(target_ids)s)
    and not coalesce({is_done}, false)
    and exists (
        select 1
        from (
            select filled.before, filled.written
            from backfill.filled
            where filled.target_id = {id}::text and filled.backfill = %(backfill)s
            order by filled.filled_at desc
            limit 1
        ) as filled
        where {is_neither}
    )

-- name: is_neither
({column} is not null
    and {column}::text is distinct from filled.before ->> {name}
    and hashtextextended({column}::text, 0) is distinct from (filled.written ->> {name})::bigint)

-- name: put_back
with put_back as (
    update {target} set {from_before}
    from backfill.filled
    where
        {id} = any(%(target_ids)s)
        and filled.target_id = {id}::text
        and filled.backfill = %(backfill)s
        and filled.extractor_version = %(extractor_version)s
    returning filled.target_id
)
delete from backfill.filled
where
    filled.target_id = any(%(target_ids)s)
    and filled.backfill = %(backfill)s
    and filled.extractor_version = %(extractor_version)s
returning filled.target_id

-- name: before
{own} = case when filled.before ? {name} then (filled.before ->> {name})::{type} else {column} end

-- name: column
{column}

-- name: text
{name}, {column}::text

-- name: hash
{name}, hashtextextended({column}::text, 0)

-- name: staged
{own} = staged.{own}
