-- name: server
select
    current_setting('server_version') as version,
    current_database() as database,
    current_user as role,
    pg_size_pretty(pg_database_size(current_database())) as size;

-- name: tables
-- Sizes as Postgres knows them; rows are its own estimate, because counting millions takes a while.
select
    asked.name as table_name,
    pg_class.reltuples::bigint as estimated_rows,
    pg_total_relation_size(pg_class.oid) as bytes,
    (
        select string_agg(pg_get_indexdef(pg_index.indexrelid), e'\n' order by pg_index.indexrelid)
        from pg_index
        where pg_index.indrelid = pg_class.oid
    ) as indexes
from unnest(%(tables)s::text []) as asked (name) -- noqa: LT01
inner join pg_class on pg_class.oid = to_regclass(asked.name)
order by bytes desc;

-- name: without_scans
-- A plan that still walks through a table now does so because no index serves it.
select set_config('enable_seqscan', 'off', true);

-- name: checkpoints
select
    kb_migrations.job_name,
    kb_migrations.cursor_position::text as cursor_position,
    kb_migrations.cursor_type,
    kb_migrations.updated_at,
    kb_migrations.status,
    kb_migrations.items_processed
from kb_migrations
order by kb_migrations.job_name;

-- name: ended
select coalesce(sum(coverage.empty + coverage.bad + coverage.skipped), 0)::bigint as without_rows
from backfill.coverage
where
    coverage.backfill = %(backfill)s
    and coverage.extractor_version = %(extractor_version)s;

-- name: last_target
-- The candidates are the backfill's own statement: target_id, content, has_rows.
-- noqa: disable=all
select max(candidates.target_id collate "C") as target_id
from ({select_targets}) as candidates;
-- noqa: enable=all

-- name: known_at_service
select
    array_remove(array_agg(slices.job_name), null) as jobs,
    -- Later its job is known by its own name, and another one of the same display name is paid twice.
    array_remove(array_agg(slices.display_name) filter (where slices.state = 'reserved'), null) as display_names,
    array_remove(array_agg(slices.input_file), null) as files
from backfill.slices;
