-- name: knows_version
-- Whether this ledger ever had to do with the version: what others wrote is not ours to delete.
-- noqa: disable=LT01,LT06
select exists (
    select 1 from backfill.versions
    where versions.backfill = %(backfill)s and versions.extractor_version = %(extractor_version)s
    union all
    select 1 from backfill.slices
    where slices.backfill = %(backfill)s and slices.extractor_version = %(extractor_version)s
    union all
    select 1 from backfill.generations
    where generations.backfill = %(backfill)s and generations.extractor_version = %(extractor_version)s
) as known;

-- name: count_ledger
select
    (
        select count(*) from backfill.generations
        where generations.backfill = %(backfill)s and generations.extractor_version = %(extractor_version)s
    ) as generations,
    count(*) filter (where slices.state = 'planned') as planned_slices,
    count(*) filter (where slices.state = 'done') as done_slices,
    count(distinct slices.run_id) filter (where slices.state <> 'rolled_back') as runs,
    coalesce(sum(slices.cost_usd), 0) as spent_usd
from backfill.slices
where slices.backfill = %(backfill)s and slices.extractor_version = %(extractor_version)s;

-- name: count_filled
select count(*) as records
from backfill.filled
where filled.backfill = %(backfill)s and filled.extractor_version = %(extractor_version)s;

-- name: filled_unknown
-- Rows filled in in place that no projection is left of.
select filled.target_id
from backfill.filled
where
    filled.backfill = %(backfill)s
    and filled.extractor_version = %(extractor_version)s
    and not exists (
        select 1 from backfill.projections
        where
            projections.target_id = filled.target_id
            and projections.backfill = filled.backfill
            and projections.extractor_version = filled.extractor_version
    )
limit %(step)s;

-- name: in_flight
select
    slices.slice_id,
    slices.job_name,
    slices.state
from backfill.slices
where
    slices.backfill = %(backfill)s
    and (%(of_all_versions)s or slices.extractor_version = %(extractor_version)s)
    and slices.state in ('reserved', 'submitted')
order by slices.slice_id;

-- name: unfinished
select rollbacks.rollback_id
from backfill.rollbacks
where
    rollbacks.backfill = %(backfill)s
    and rollbacks.extractor_version = %(extractor_version)s
    and rollbacks.ended_at is null;

-- name: begin
insert into backfill.rollbacks (backfill, extractor_version, spent_usd)
values (%(backfill)s, %(extractor_version)s, %(spent_usd)s)
returning rollbacks.rollback_id;

-- name: retire_slices
update backfill.slices
set state = 'rolled_back'
where
    slices.backfill = %(backfill)s
    and slices.extractor_version = %(extractor_version)s
    and slices.state = 'done';

-- name: retire_runs
-- A new run must not go on with one of these: its slices' ids would be made again.
update backfill.runs
set state = 'rolled_back', passed = null
where runs.backfill = %(backfill)s and runs.extractor_version = %(extractor_version)s;

-- name: next_generations
-- Along the primary key, so that no step walks over what the steps before it deleted.
select
    generations.doc_id,
    generations.target_id
from backfill.generations
where
    generations.backfill = %(backfill)s
    and generations.extractor_version = %(extractor_version)s
    and (%(after)s::uuid is null or generations.doc_id > %(after)s::uuid)
order by generations.doc_id
limit %(step)s;

-- name: delete_generations
delete from backfill.generations
where generations.doc_id = any(%(doc_ids)s)
returning generations.state in ('written', 'empty') as counted;

-- name: note_progress
update backfill.rollbacks
set
    rows_deleted = rows_deleted + %(rows)s,
    generations_deleted = generations_deleted + %(generations)s
where rollbacks.rollback_id = %(rollback_id)s;

-- name: lower_checkpoint
update kb_migrations
set
    updated_at = now(),
    status = %(status)s,
    items_processed = greatest(0, items_processed - %(counted)s)
where kb_migrations.job_name = %(job_name)s;

-- name: forget_projections
delete from backfill.projections
where projections.backfill = %(backfill)s and projections.extractor_version = %(extractor_version)s;

-- name: left_standing
-- Targets whose rows a person had corrected, and that were left for it.
select count(*) as targets
from backfill.projections
where projections.backfill = %(backfill)s and projections.extractor_version = %(extractor_version)s;

-- name: withdraw
-- Its answers are kept, so it goes on meaning what it means.
update backfill.versions
set withdrawn_at = now()
where versions.backfill = %(backfill)s and versions.extractor_version = %(extractor_version)s;

-- name: take_back
update backfill.versions
set withdrawn_at = null
where
    versions.backfill = %(backfill)s
    and versions.extractor_version = %(extractor_version)s
    and versions.withdrawn_at is not null;

-- name: forget_thinned
-- That they were answered once says nothing of what the version may come to mean.
delete from backfill.questions
where
    questions.backfill = %(backfill)s
    and questions.extractor_version = %(extractor_version)s
    and questions.block_id is null;

-- name: forget_version
-- With none of its answers left, the version may come to mean something else.
delete from backfill.versions
where versions.backfill = %(backfill)s and versions.extractor_version = %(extractor_version)s;

-- name: end
update backfill.rollbacks
set ended_at = now()
where rollbacks.rollback_id = %(rollback_id)s
returning rollbacks.rows_deleted, rollbacks.generations_deleted;
