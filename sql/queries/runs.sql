-- name: keep_costs
-- What a plan has cost stays on record, out of the way of the plan that replaces it.
update backfill.slices
set state = 'failed', slice_id = slices.slice_id || '-' || substr(md5(now()::text), 1, 8), finished_at = now()
where
    slices.backfill = %(backfill)s
    and slices.extractor_version = %(extractor_version)s
    and slices.state = 'planned'
    and slices.cost_usd > 0
    and slices.run_id is distinct from %(keep_run_id)s::uuid
    and not exists (
        select 1 from backfill.generations
        where generations.slice_id = slices.slice_id
    );

-- name: unfinished_run
-- The run that a rerun goes on with: the same flow run first, else the latest of the same kind.
select runs.*
from backfill.runs
where
    runs.backfill = %(backfill)s
    and runs.extractor_version = %(extractor_version)s
    and runs.state <> 'rolled_back'
    and (runs.flow_run_id = %(flow_run_id)s or (
        runs.state in ('running', 'stopped', 'refused')
        and runs.kind = %(kind)s
        and runs.max_targets is not distinct from %(max_targets)s::integer
    ))
order by (runs.flow_run_id = %(flow_run_id)s) desc nulls last, runs.started_at desc
limit 1;

-- name: count_taken_on
select count(*) as targets
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where slices.run_id = %(run_id)s;

-- name: insert_run
insert into backfill.runs (backfill, extractor_version, kind, max_targets, flow_run_id, site)
values (%(backfill)s, %(extractor_version)s, %(kind)s, %(max_targets)s, %(flow_run_id)s, %(site)s)
returning *;

-- name: resume_run
update backfill.runs
set state = 'running', flow_run_id = %(flow_run_id)s, ended_at = null, message = null, site = %(site)s
where run_id = %(run_id)s
returning *;

-- name: site_of_slice
select
    runs.site,
    runs.backfill
from backfill.slices
inner join backfill.runs on slices.run_id = runs.run_id
where slices.slice_id = %(slice_id)s;

-- name: adopt_open_slices
-- Work that an earlier run left open goes on under this one; under a limited one only what is at the service.
update backfill.slices
set run_id = %(run_id)s
where
    slices.backfill = %(backfill)s
    and slices.extractor_version = %(extractor_version)s
    and (slices.state in ('reserved', 'submitted') or (slices.state = 'planned' and not %(is_limited)s))
    and slices.run_id <> %(run_id)s;

-- name: forget_generations
delete from backfill.generations
using backfill.slices
where
    generations.slice_id = slices.slice_id
    and generations.state = 'planned'
    -- What was asked before, and is to be asked again, was paid for.
    and generations.attempts = 0
    and slices.backfill = %(backfill)s
    and slices.extractor_version = %(extractor_version)s
    and slices.state = 'planned'
    and slices.run_id is distinct from %(keep_run_id)s::uuid;

-- name: forget_slices
delete from backfill.slices
where
    slices.backfill = %(backfill)s
    and slices.extractor_version = %(extractor_version)s
    and slices.state = 'planned'
    and slices.run_id is distinct from %(keep_run_id)s::uuid
    and not exists (
        select 1 from backfill.generations
        where generations.slice_id = slices.slice_id
    );

-- name: record_estimate
update backfill.runs
set estimated_usd = %(estimated_usd)s
where run_id = %(run_id)s;

-- name: approve
update backfill.runs
set approved_usd = %(approved_usd)s, approved_by = %(approved_by)s, approved_in = %(approved_in)s
where run_id = %(run_id)s;

-- name: approve_restores
update backfill.runs
set restores_approved = true
where run_id = %(run_id)s;

-- name: end_run
update backfill.runs
set state = %(state)s, message = %(message)s, ended_at = now()
where run_id = %(run_id)s;

-- name: get_run
select
    runs.*,
    extract(epoch from clock_timestamp() - runs.started_at) as age_seconds
from backfill.runs
where run_id = %(run_id)s;

-- name: totals
-- What became of everything that this run took on, by state and reason.
select
    generations.state,
    generations.reason,
    count(*) as targets
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where slices.run_id = %(run_id)s
group by generations.state, generations.reason;

-- name: spending
select
    coalesce(sum(slices.cost_usd), 0) as spent_usd,
    coalesce(sum(slices.reserved_usd) filter (
        where slices.state in ('reserved', 'submitted')
    ), 0) as in_flight_usd,
    coalesce(sum(slices.input_tokens), 0) as input_tokens,
    coalesce(sum(slices.output_tokens), 0) as output_tokens,
    coalesce(sum((slices.measures ->> 'paid_twice')::float), 0)::integer as paid_twice,
    coalesce(sum((slices.measures ->> 'paid_twice_usd')::float), 0) as paid_twice_usd,
    count(*) as slices
from backfill.slices
where slices.run_id = %(run_id)s;

-- name: measured_usage
-- Tokens per target of this version so far, with what was asked again; null while nothing has been answered.
with used as (
    select
        sum(slices.input_tokens)::float as input_tokens,
        sum(slices.output_tokens)::float as output_tokens,
        coalesce(sum((slices.measures ->> 'searches')::float), 0) as searches,
        coalesce(sum(slices.written + slices.empty + slices.bad), 0) as answers,
        -- An answer that was bad and asked again is no target of its own.
        nullif(sum(slices.written + slices.empty) + (
            select count(*) from backfill.generations
            where
                generations.backfill = %(backfill)s
                and generations.extractor_version = %(extractor_version)s
                and generations.state = 'bad'
        ), 0) as targets
    from backfill.slices
    where
        slices.backfill = %(backfill)s
        and slices.extractor_version = %(extractor_version)s
        and slices.state = 'done'
        and slices.question = 'answer'
        and slices.input_tokens > 0
        -- What was asked again was asked alone, however it had gone.
        and (slices.rows_per_request = %(rows)s or slices.attempt > 1)
)

select
    used.answers,
    used.input_tokens / used.targets as input_tokens,
    used.output_tokens / used.targets as output_tokens,
    used.searches / used.targets as searches
from used;
