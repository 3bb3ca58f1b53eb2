-- The columns that a user's kb_migrations has besides are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: columns
select pg_attribute.attname as name
from pg_attribute
where
    pg_attribute.attrelid = to_regclass('kb_migrations')
    and pg_attribute.attnum > 0
    and not pg_attribute.attisdropped

-- name: is_claimed
select kb_migrations.status in ('running', 'waiting') as is_claimed
from kb_migrations
where kb_migrations.job_name = %(job_name)s

-- name: open_checkpoint
insert into kb_migrations (job_name, cursor_position, cursor_type, updated_at, status, items_processed)
select
    %(job_name)s,
    null,
    %(cursor_type)s,
    now(),
    coalesce(%(status)s::text, 'running'),
    0
where not exists (
    select 1 from kb_migrations
    where kb_migrations.job_name = %(job_name)s
)

-- name: lock_checkpoint
-- Taken before counting, so that the count below sees every slice committed before this one.
select kb_migrations.job_name from kb_migrations
where kb_migrations.job_name = %(job_name)s
for update

-- name: advance_checkpoint
with asked as (
    select coalesce(sum(slices.written + slices.empty), 0) as processed
    from backfill.slices
    where
        slices.backfill = %(backfill)s
        and slices.extractor_version = %(extractor_version)s
        and slices.state = 'done'
),

-- Targets that were never asked: another one asked the same.
twins as (
    select count(*) as processed
    from backfill.generations
    where
        generations.slice_id is null
        and generations.backfill = %(backfill)s
        and generations.extractor_version = %(extractor_version)s
        and generations.state in ('written', 'empty')
),

-- Rows that are asked one by one are written before their slice is done.
one_by_one as (
    select count(*) as processed
    from backfill.slices
    inner join backfill.generations on slices.slice_id = generations.slice_id
    where
        slices.backfill = %(backfill)s
        and slices.extractor_version = %(extractor_version)s
        and slices.state = 'submitted'
        and slices.transport = 'interactive'
        and generations.state in ('written', 'empty')
),

counted as (
    select asked.processed + twins.processed + one_by_one.processed as processed
    from asked cross join twins cross join one_by_one
)

update kb_migrations
set
    cursor_position = coalesce(%(cursor_position)s, kb_migrations.cursor_position),
    cursor_type = %(cursor_type)s,
    updated_at = now(),
    status = coalesce(%(status)s::text, kb_migrations.status),
    items_processed = counted.processed{more}
from counted
where kb_migrations.job_name = %(job_name)s

-- name: items_failed
-- Not the slices' sums: a target that is asked again was bad in several of them.
, items_failed = (
    select count(*) from backfill.generations
    where
        generations.backfill = %(backfill)s
        and generations.extractor_version = %(extractor_version)s
        and generations.state = 'bad'
        and generations.reason is not null
)

-- name: started_at
, started_at = coalesce(kb_migrations.started_at, now())

-- name: finished_at
, finished_at = case when %(status)s::text is null then kb_migrations.finished_at when %(is_over)s then now() end

-- name: notes
, notes = coalesce(%(notes)s, kb_migrations.notes)

-- name: try_count
update kb_migrations set {column} = %(count)s where kb_migrations.job_name = %(job_name)s

-- name: reset_checkpoint
-- After a rollback nothing is done, and what the next run does has its own beginning.
update kb_migrations
set
    cursor_position = null,
    updated_at = now(),
    status = %(status)s,
    items_processed = 0{more}
where kb_migrations.job_name = %(job_name)s

-- name: reset_items_failed
, items_failed = 0

-- name: reset_started_at
, started_at = null

-- name: reset_finished_at
, finished_at = now()

-- name: reset_notes
, notes = %(notes)s
