-- name: open_checkpoint
insert into kb_migrations (job_name, cursor_position, cursor_type, updated_at, status, items_processed)
select
    %(job_name)s,
    null,
    'target_id',
    now(),
    'running',
    0
where not exists (
    select 1 from kb_migrations
    where kb_migrations.job_name = %(job_name)s
);

-- name: lock_checkpoint
-- Taken before counting, so that the count below sees every slice committed before this one.
select kb_migrations.job_name from kb_migrations
where kb_migrations.job_name = %(job_name)s
for update;

-- name: advance_checkpoint
update kb_migrations
set
    cursor_position = coalesce(%(cursor_position)s, cursor_position),
    cursor_type = 'target_id',
    updated_at = now(),
    status = %(status)s,
    items_processed = (
        select coalesce(sum(slices.written + slices.empty), 0)
        from backfill.slices
        where
            slices.backfill = %(backfill)s
            and slices.extractor_version = %(extractor_version)s
            and slices.state = 'done'
    )
where kb_migrations.job_name = %(job_name)s;
