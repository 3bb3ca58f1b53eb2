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

-- name: clock
select now() as now;

-- name: checkpoints
select
    kb_migrations.job_name,
    kb_migrations.cursor_position::text as cursor_position,
    kb_migrations.cursor_type,
    kb_migrations.updated_at,
    kb_migrations.status,
    kb_migrations.items_processed,
    coalesce(to_jsonb(kb_migrations) ->> 'notes', '') like 'waiting: %%' as says_waiting
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
    array_remove(array_agg(slices.input_file), null) as files,
    array_remove(array_agg(slices.job_name) filter (where ended.long_ago), null) as needless_jobs,
    array_remove(array_agg(slices.input_file) filter (where ended.long_ago), null) as needless_files
from backfill.slices
cross join lateral (select slices.finished_at < now() - %(while)s::interval as long_ago) as ended;

-- name: tables_with_versions
-- Tables with rows of several versions that no backfill need know, and whose rows these are about: by a foreign key,
-- else by the column of another table's primary key that they have under the same name.
with tables as (
    select
        pg_class.oid,
        pg_namespace.nspname as schema_name,
        pg_class.relname as table_name
    from pg_class
    inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
    where
        pg_class.relkind in ('r', 'p')
        and pg_namespace.nspname not in ('pg_catalog', 'information_schema', 'backfill')
),

columns as (
    select
        tables.*,
        pg_attribute.attname as column_name,
        pg_attribute.attnum as column_number
    from tables
    inner join pg_attribute on tables.oid = pg_attribute.attrelid
    where pg_attribute.attnum > 0 and not pg_attribute.attisdropped
),

keys as (
    select
        columns.*,
        pg_constraint.contype,
        pg_constraint.confrelid,
        pg_constraint.confkey
    from columns
    inner join pg_constraint
        on columns.oid = pg_constraint.conrelid and pg_constraint.conkey = array[columns.column_number]
    where pg_constraint.contype in ('p', 'f')
),

about as (
    select
        keys.oid,
        keys.column_name,
        columns.oid as source_oid,
        columns.column_name as source_id,
        1 as place
    from keys
    inner join columns on keys.confrelid = columns.oid and keys.confkey = array[columns.column_number]
    where keys.contype = 'f'
    union all
    select
        columns.oid,
        columns.column_name,
        keys.oid as source_oid,
        keys.column_name as source_id,
        2 as place
    from columns
    inner join keys on columns.column_name = keys.column_name and columns.oid <> keys.oid
    where keys.contype = 'p'
)

select distinct on (columns.oid)
    columns.schema_name as target_schema,
    columns.table_name as target,
    about.column_name as target_id,
    tables.schema_name as source_schema,
    tables.table_name as source,
    about.source_id
from columns
inner join about on columns.oid = about.oid
inner join tables on about.source_oid = tables.oid
where columns.column_name = 'extractor_version'
order by columns.oid, about.place, about.column_name;
