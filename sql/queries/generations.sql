-- name: content_hashes
select
    generations.doc_id::text as key,
    generations.content_hash
from backfill.generations
where generations.doc_id::text = any(%(keys)s);

-- name: members
select
    generations.doc_id,
    generations.target_id,
    generations.content_hash,
    generations.attempts
from backfill.generations
where generations.slice_id = %(slice_id)s and generations.state = 'planned'
order by generations.target_id;

-- name: stage_outcomes
create temporary table outcomes (
    doc_id uuid,
    state text,
    reason text,
    detail text,
    input_tokens integer,
    output_tokens integer,
    model_version text,
    raw text,
    tries smallint
) on commit drop;

-- name: copy_outcomes
-- noqa: disable=all
copy outcomes (doc_id, state, reason, detail, input_tokens, output_tokens, model_version, raw, tries)
from stdin;
-- noqa: enable=all

-- name: apply_outcomes
update backfill.generations
set
    state = outcomes.state,
    reason = outcomes.reason,
    detail = outcomes.detail,
    attempts = generations.attempts + outcomes.tries,
    input_tokens = generations.input_tokens + outcomes.input_tokens,
    output_tokens = generations.output_tokens + outcomes.output_tokens,
    model_version = outcomes.model_version,
    raw = outcomes.raw,
    ended_at = now()
from outcomes
where generations.doc_id = outcomes.doc_id and generations.state = 'planned';

-- name: askable_again
-- Bad generations for which another try can help; an earlier run may have left them. They go together the way
-- that the first of them went, so one that was asked at once takes none with it.
select
    generations.doc_id,
    generations.slice_id,
    generations.reason,
    generations.detail,
    generations.attempts,
    slices.wave,
    slices.question,
    slices.max_output_tokens
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where
    generations.backfill = %(backfill)s
    and generations.extractor_version = %(extractor_version)s
    and generations.state = 'bad'
    and generations.reason is not null
    and generations.attempts < %(max_attempts)s
    and generations.reason = any(%(reasons)s)
    and (%(only_of_run)s::uuid is null or slices.run_id = %(only_of_run)s)
order by slices.transport, generations.target_id;

-- name: insert_next_slice
insert into backfill.slices (
    slice_id, run_id, backfill, extractor_version, wave, attempt, request_count, max_output_tokens,
    estimated_input_tokens, estimated_usd, question, model, transport, rows_per_request
)
select
    %(slice_id)s,
    %(run_id)s,
    slices.backfill,
    slices.extractor_version,
    slices.wave,
    %(attempt)s,
    %(request_count)s,
    %(max_output_tokens)s,
    ceil(slices.estimated_input_tokens * %(request_count)s::float / slices.request_count),
    slices.estimated_usd * %(request_count)s / slices.request_count,
    %(question)s,
    %(model)s,
    slices.transport,
    case
        when exists (
            select 1 from backfill.generations
            where generations.doc_id = any(%(doc_ids)s) and generations.attempts > 0
        ) then 1
        else slices.rows_per_request
    end
from backfill.slices
where slices.slice_id = %(from_slice_id)s;

-- name: move_generations
update backfill.generations
set slice_id = %(slice_id)s, state = 'planned', reason = null, detail = null, raw = null, ended_at = null
where generations.doc_id = any(%(doc_ids)s);

-- name: give_targets_back
update backfill.generations
set slice_id = %(with_id)s
where generations.slice_id = %(slice_id)s;

-- name: grow_again
update backfill.slices
set
    request_count = slices.request_count + parts.request_count,
    estimated_input_tokens = slices.estimated_input_tokens + parts.estimated_input_tokens,
    estimated_usd = slices.estimated_usd + parts.estimated_usd
from backfill.slices as parts
where slices.slice_id = %(with_id)s and parts.slice_id = %(slice_id)s;

-- name: drop_slice
delete from backfill.slices
where slices.slice_id = %(slice_id)s and slices.state = 'planned';

-- name: give_up
update backfill.generations
set state = 'bad', reason = %(reason)s, detail = %(detail)s, attempts = attempts + 1, ended_at = now()
where generations.slice_id = %(slice_id)s and generations.state = 'planned';

-- name: set_aside
update backfill.generations
set state = 'bad', reason = %(reason)s, detail = %(detail)s, attempts = attempts + 1, ended_at = now()
where generations.doc_id = any(%(doc_ids)s::uuid[]) and generations.state = 'planned';

-- name: ended_before
select
    generations.state,
    count(*) as targets
from backfill.generations
where generations.slice_id = %(slice_id)s and generations.state <> 'planned'
group by generations.state;

-- name: skip
update backfill.generations
set state = 'skipped', reason = skips.reason, ended_at = now()
from (
    select
        unnest(%(doc_ids)s::uuid[]) as doc_id,
        unnest(%(reasons)s::text[]) as reason
) as skips
where generations.doc_id = skips.doc_id and generations.state = 'planned';

-- name: bad_generations
select
    generations.target_id,
    generations.doc_id,
    generations.reason,
    generations.detail,
    generations.attempts,
    generations.raw,
    generations.slice_id
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where slices.run_id = %(run_id)s and generations.state = 'bad'
order by generations.reason, generations.target_id;

-- name: drop_generations
-- With their share of their slices' sums; what was written since its slice was closed had been skipped there.
with gone as (
    delete from backfill.generations
    where generations.doc_id = any(%(doc_ids)s)
    returning generations.slice_id, generations.state
),

lost as (
    select
        gone.slice_id,
        count(*) as targets,
        count(*) filter (where gone.state <> 'planned') as ended,
        count(*) filter (where gone.state = 'written') as written,
        count(*) filter (where gone.state = 'empty') as empty,
        count(*) filter (where gone.state = 'bad') as bad
    from gone
    where gone.slice_id is not null
    group by gone.slice_id
),

lowered as (
    update backfill.slices
    set
        request_count = slices.request_count - lost.targets,
        written = slices.written - least(slices.written, lost.written),
        empty = slices.empty - least(slices.empty, lost.empty),
        bad = slices.bad - least(slices.bad, lost.bad),
        skipped = slices.skipped - (
            lost.ended
            - least(slices.written, lost.written)
            - least(slices.empty, lost.empty)
            - least(slices.bad, lost.bad)
        )
    from lost
    where slices.slice_id = lost.slice_id
)

select count(*) as targets from gone;
