-- name: failures
-- Answers of a run that could not be used, at their first try, by cause.
select
    measured.key as measure,
    round(sum(measured.value::float))::bigint as targets
from backfill.slices
cross join lateral jsonb_each_text(slices.measures) as measured (key, value)
where slices.run_id = %(run_id)s
group by measured.key;

-- name: slice_costs
select
    slices.slice_id,
    slices.wave,
    slices.attempt,
    slices.state,
    slices.request_count,
    slices.estimated_usd,
    slices.cost_usd,
    slices.submitted_at,
    slices.finished_at
from backfill.slices
where slices.run_id = %(run_id)s
order by slices.planned_at, slices.wave, slices.attempt, slices.slice_id;
