-- name: get_slice
select * from backfill.slices
where slices.slice_id = %(slice_id)s;

-- name: lock_slice
select * from backfill.slices
where slices.slice_id = %(slice_id)s
for update;

-- name: open_slices
select
    slices.slice_id,
    slices.wave,
    slices.attempt,
    slices.state,
    slices.question,
    slices.transport,
    slices.request_count,
    slices.estimated_input_tokens,
    slices.estimated_usd
from backfill.slices
where slices.run_id = %(run_id)s and slices.state in ('planned', 'reserved', 'submitted')
order by slices.wave, slices.attempt, slices.slice_id;

-- name: price_slices
update backfill.slices
set
    estimated_usd = (
        slices.estimated_input_tokens * %(input_usd_per_token)s
        + slices.request_count * %(output_usd_per_request)s
    )
where slices.run_id = %(run_id)s and slices.state = 'planned';

-- name: record_input
update backfill.slices
set
    input_digest = %(input_digest)s,
    display_name = %(display_name)s,
    estimated_input_tokens = coalesce(%(tokens)s::bigint, slices.estimated_input_tokens)
where slices.slice_id = %(slice_id)s and slices.state = 'planned';

-- name: record_upload
update backfill.slices
set input_file = %(input_file)s, input_file_expires_at = %(expires_at)s
where slices.slice_id = %(slice_id)s;

-- name: release
update backfill.slices
set state = 'planned', reserved_at = null, reserved_usd = 0, error = %(error)s
where slices.slice_id = %(slice_id)s and slices.state = 'reserved';

-- name: attach_job
update backfill.slices
set state = 'submitted', job_name = %(job_name)s, submitted_at = now(), error = null
where
    slices.slice_id = %(slice_id)s
    and slices.state = 'reserved'
    and (%(reserved_at)s::timestamptz is null or slices.reserved_at = %(reserved_at)s::timestamptz);

-- name: close_slice
update backfill.slices
set
    state = 'done',
    written = %(written)s,
    empty = %(empty)s,
    bad = %(bad)s,
    skipped = %(skipped)s,
    moved = %(moved)s,
    input_tokens = %(input_tokens)s,
    output_tokens = %(output_tokens)s,
    cost_usd = %(cost_usd)s,
    measures = %(measures)s,
    finished_at = now()
where slices.slice_id = %(slice_id)s;

-- name: add_usage
update backfill.slices
set
    input_tokens = slices.input_tokens + %(input_tokens)s,
    output_tokens = slices.output_tokens + %(output_tokens)s,
    cost_usd = slices.cost_usd + %(cost_usd)s,
    measures = %(measures)s
where slices.slice_id = %(slice_id)s;

-- name: choose_transport
update backfill.slices
set
    transport = %(transport)s,
    question = %(question)s,
    model = %(model)s,
    rows_per_request = case when %(transport)s = 'batch' then slices.rows_per_request else 1 end
where slices.run_id = %(run_id)s and slices.state = 'planned' and slices.transport <> %(transport)s;

-- name: begin_at_once
-- No job carries an interactive slice: it goes straight from its reservation to work.
update backfill.slices
set state = 'submitted', submitted_at = now()
where slices.slice_id = %(slice_id)s and slices.state = 'reserved';

-- name: add_cost
update backfill.slices
set cost_usd = slices.cost_usd + %(usd)s
where slices.slice_id = %(slice_id)s;

-- name: put_back
-- Nothing of it was answered, so it is as if it had not begun; what it has cost stays counted.
update backfill.slices
set state = 'planned', reserved_at = null, reserved_usd = 0, submitted_at = null
where
    slices.slice_id = %(slice_id)s
    and slices.state = 'submitted'
    and slices.transport = 'interactive'
    and not exists (
        select 1 from backfill.generations
        where generations.slice_id = slices.slice_id and generations.state in ('written', 'empty', 'bad')
    );

-- name: were_answered
-- Whether the model answered this version's question in a run, or, without one, in the last day.
select exists(
    select 1 from backfill.slices
    where
        slices.backfill = %(backfill)s
        and slices.extractor_version = %(extractor_version)s
        and slices.question = 'answer'
        and slices.model = %(model)s
        and (%(run_id)s::uuid is null or slices.run_id = %(run_id)s::uuid)
        and (
            slices.state = 'done'
            and slices.written + slices.empty > 0
            and (%(run_id)s::uuid is not null or slices.finished_at > now() - interval '1 day')
            -- One that is asked row by row has answers before it is done.
            or slices.state = 'submitted'
            and slices.transport = 'interactive'
            and exists (
                select 1 from backfill.generations
                where
                    generations.slice_id = slices.slice_id
                    and generations.state in ('written', 'empty')
                    and (%(run_id)s::uuid is not null or generations.ended_at > now() - interval '1 day')
            )
        )
) as answered;

-- name: shrink
-- Some of its targets went to another slice: what is left is smaller, and costs less.
update backfill.slices
set
    request_count = slices.request_count - %(less)s,
    estimated_input_tokens = ceil(
        slices.estimated_input_tokens * (slices.request_count - %(less)s)::float / slices.request_count
    ),
    estimated_usd = slices.estimated_usd * (slices.request_count - %(less)s) / slices.request_count
where slices.slice_id = %(slice_id)s;

-- name: ask_at_once
-- A planned slice goes out one by one, at that price, whatever way its run goes.
update backfill.slices
set
    transport = 'interactive',
    question = 'answer',
    rows_per_request = 1,
    model = %(model)s,
    estimated_usd = slices.estimated_usd * %(times_dearer)s::float
where slices.slice_id = %(slice_id)s and slices.state = 'planned' and slices.transport <> 'interactive';

-- name: fail_slice
update backfill.slices
set state = 'failed', error = %(error)s, finished_at = now()
where slices.slice_id = %(slice_id)s;

-- name: slice_progress
-- How far a run is; slices are few, generations many. What is asked again is bad in the sum of an earlier slice, so
-- that the bad ones are counted where they stand, by an index that has few others.
select
    sums.written,
    sums.empty,
    bad.targets as bad,
    sums.skipped,
    sums.jobs_in_flight,
    sums.spent_usd,
    sums.in_flight_usd,
    sums.first_submitted_at,
    sums.last_finished_at,
    sums.written + sums.empty + bad.targets + sums.skipped as ended,
    sums.written + sums.empty + bad.targets + sums.skipped + sums.waiting as targets
from backfill.runs
cross join
    lateral (
        select
            coalesce(sum(slices.written), 0) as written,
            coalesce(sum(slices.empty), 0) as empty,
            coalesce(sum(slices.skipped), 0) as skipped,
            coalesce(sum(slices.request_count) filter (where slices.state not in ('done', 'failed')), 0) as waiting,
            count(*) filter (where slices.state in ('reserved', 'submitted')) as jobs_in_flight,
            coalesce(sum(slices.cost_usd), 0) as spent_usd,
            coalesce(sum(slices.reserved_usd) filter (
                where slices.state in ('reserved', 'submitted')
            ), 0) as in_flight_usd,
            min(slices.submitted_at) as first_submitted_at,
            max(slices.finished_at) as last_finished_at
        from backfill.slices
        where slices.run_id = runs.run_id
    ) as sums
cross join
    lateral (
        select count(*) as targets
        from backfill.generations
        inner join backfill.slices on generations.slice_id = slices.slice_id
        where
            generations.backfill = runs.backfill
            and generations.extractor_version = runs.extractor_version
            and generations.reason is not null
            and generations.state = 'bad'
            and slices.run_id = runs.run_id
            and slices.state in ('done', 'failed')
    ) as bad
where runs.run_id = %(run_id)s;

-- name: sum_of_ends
-- Slices whose recorded ends do not add up to their requests; none, if the ledger is right.
select
    slices.slice_id,
    slices.request_count,
    slices.written + slices.empty + slices.bad + slices.skipped + slices.moved as ended
from backfill.slices
where
    slices.run_id = %(run_id)s
    and slices.state = 'done'
    and slices.request_count <> slices.written + slices.empty + slices.bad + slices.skipped + slices.moved;

-- name: next_try
-- Whoever asks for the try after the same one gets the same number: nobody starts a second run.
update backfill.slices
set tries = greatest(slices.tries, %(after)s + 1), stopped_by = null
where slices.slice_id = %(slice_id)s
returning slices.tries;

-- name: note_stop
update backfill.slices
set stopped_by = %(stopped_by)s, error = %(error)s
where slices.slice_id = %(slice_id)s;

-- name: run_is_stopped
select runs.state = 'stopped' as stopped
from backfill.slices
inner join backfill.runs on slices.run_id = runs.run_id
where slices.slice_id = %(slice_id)s;

-- name: in_flight
select * from backfill.slices
where slices.state in ('reserved', 'submitted') and slices.transport = 'batch';

-- name: older_in_flight
-- Jobs of a backfill that were sent under another version than the present one.
select * from backfill.slices
where
    slices.backfill = %(backfill)s
    and slices.extractor_version <> %(extractor_version)s
    and slices.state in ('reserved', 'submitted')
    and slices.transport = 'batch'
order by slices.slice_id;

-- name: had_jobs_lately
-- Whether a batch job of ours is in flight, or was created in the last day.
select exists(
    select 1 from backfill.slices
    where
        slices.job_name is not null
        and (slices.state = 'submitted' or slices.submitted_at > now() - interval '1 day')
) as found;

-- name: counted_per_guess
-- Only of slices that were answered as a whole: a missing answer is counted nowhere. A pilot is enough.
select sum(slices.input_tokens)::float / sum(slices.estimated_input_tokens) as ratio
from backfill.slices
where
    slices.model = %(model)s
    and slices.rows_per_request = %(rows)s
    and slices.state = 'done'
    and slices.input_tokens > 0
    and slices.bad + slices.skipped = 0;
