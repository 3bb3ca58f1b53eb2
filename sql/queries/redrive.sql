-- name: bad_by_reason
select
    generations.doc_id,
    generations.slice_id,
    generations.reason,
    slices.run_id,
    slices.max_output_tokens
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where
    generations.backfill = %(backfill)s
    and generations.extractor_version = %(extractor_version)s
    and generations.state = 'bad'
    and generations.reason is not null
    and generations.reason = any(%(reasons)s)
order by slices.run_id, generations.target_id;

-- name: forget_kept
-- Their answers are kept: without an entry they are written again, for nothing. Those whose rows stand are read again.
with kept as (
    select generations.doc_id
    from backfill.generations
    inner join backfill.questions
        on
            questions.question_id = backfill.question_id(
                generations.backfill, generations.extractor_version, generations.content_hash
            )
    where
        generations.doc_id = any(%(doc_ids)s)
        and questions.is_usable
        and questions.block_id is not null
),

forgotten as (
    delete from backfill.generations
    where
        generations.doc_id in (select kept.doc_id from kept)
        and not exists (select 1 from backfill.projections where projections.doc_id = generations.doc_id)
)

select kept.doc_id from kept;

-- name: thinned
-- Of the plan: answered once, rows missing, and the answer is kept no more.
select
    remaining.doc_id,
    remaining.question_id
from remaining
where remaining.wants = 'thinned';

-- name: forget_questions
delete from backfill.questions
where questions.question_id = any(%(question_ids)s);

-- name: forget_attempts
-- A person asked for it: all tries are there again.
update backfill.generations
set attempts = 0
where generations.doc_id = any(%(doc_ids)s);

-- name: in_flight
select
    slices.slice_id,
    slices.job_name
from backfill.slices
where
    slices.backfill = %(backfill)s
    and slices.extractor_version = %(extractor_version)s
    and slices.state = 'submitted'
order by slices.submitted_at;
