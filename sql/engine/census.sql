-- Identifiers and the site owner's own conditions are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: census
-- What stands beside what the rows say now. Edited ones are counted in their own class as well; what was written since
-- a moment is taken for as it was written.
with source as materialized (
    select
        keyed.*,
        backfill.doc_id(
            %(backfill)s, %(extractor_version)s, keyed.target_id, keyed.content_hash
        ) as doc_id
    from (
        select
            rows.target_id,
            rows.in_scope,
            backfill.content_hash(rows.content) as content_hash
        from ({source}) as rows
        where rows.target_id is not null
    ) as keyed
),

written as materialized (
    select
        projections.doc_id,
        projections.target_id,
        projections.fingerprint,
        projections.reading,
        coalesce(projections.projected_at >= %(since)s::timestamptz, false) as is_new
    from backfill.projections
    where
        projections.backfill = %(backfill)s
        and projections.extractor_version = %(extractor_version)s
        and projections.records > 0
),

older as (select written.target_id from written where not written.is_new),

standing as materialized (
    select
        written.doc_id,
        written.target_id,
        found.fingerprint <> written.fingerprint as is_edited
    from written
    left join ({fingerprints}) as found
        on written.target_id = found.target_id and written.reading = found.reading
    where written.is_new or found.target_id is not null
),

-- An id may stand in several rows.
ids as (
    select
        source.target_id,
        bool_or(source.in_scope) as in_scope
    from source
    group by source.target_id
),

texts as (select distinct source.doc_id from source where source.in_scope),

compared as (
    select
        count(*) filter (where ids.in_scope and texts.doc_id is null) as stale,
        count(*) filter (where ids.target_id is null) as orphans,
        count(*) filter (where standing.is_edited) as edited
    from standing
    left join ids on standing.target_id = ids.target_id
    left join texts on standing.doc_id = texts.doc_id
)

select
    compared.*,
    (select count(*) from ids where not ids.in_scope) as out_of_scope
from compared

-- name: versions
select distinct projections.extractor_version
from backfill.projections
where projections.backfill = %(backfill)s
order by projections.extractor_version

-- name: orphans
-- Targets of one version whose rows stand although their source row is gone, whatever the site's condition says.
select projections.target_id
from backfill.projections
where
    projections.backfill = %(backfill)s
    and projections.extractor_version = %(extractor_version)s
    and projections.records > 0
    and projections.target_id > %(after)s
    and not exists (select 1 from ({source}) as source where source.target_id = projections.target_id)
    and exists (
        select 1 from {target}
        where {target_id}::text = projections.target_id and {ours}
    )
order by projections.target_id
limit %(step)s
