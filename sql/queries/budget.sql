-- name: lock_run_of_slice
-- Reservations of one run are made one after the other, so that their sum is the truth.
select runs.run_id
from backfill.runs
inner join backfill.slices on runs.run_id = slices.run_id
where slices.slice_id = %(slice_id)s
for no key update of runs;

-- name: left
-- What is left of the approval of a slice's run, and what others of it hold.
select
    sums.held_usd,
    runs.approved_usd - sums.spent_usd - sums.held_usd as left_usd
from backfill.slices
inner join backfill.runs on slices.run_id = runs.run_id
cross join
    lateral (
        select
            coalesce(sum(others.cost_usd), 0) as spent_usd,
            coalesce(sum(others.reserved_usd) filter (where others.state in ('reserved', 'submitted')), 0) as held_usd
        from backfill.slices as others
        where others.run_id = runs.run_id
    ) as sums
where slices.slice_id = %(slice_id)s;

-- name: wanted
-- What of the run stays planned, and is expected to cost.
select
    count(*) as planned_rows,
    coalesce(sum(others.estimated_usd / others.request_count), 0) as planned_usd
from backfill.slices
inner join backfill.slices as others on slices.run_id = others.run_id
inner join backfill.generations on others.slice_id = generations.slice_id and generations.state = 'planned'
where slices.slice_id = %(slice_id)s and others.request_count > 0;

-- name: reserve
update backfill.slices
set
    state = 'reserved',
    reserved_at = clock_timestamp(),
    reserved_usd = %(usd)s,
    flow_run_id = %(flow_run_id)s,
    error = null
where slices.slice_id = %(slice_id)s and slices.state = 'planned'
returning slices.reserved_at;

-- name: hold
update backfill.slices
set reserved_usd = slices.reserved_usd + %(usd)s::numeric
where slices.slice_id = %(slice_id)s;

-- name: let_go
update backfill.slices
set reserved_usd = greatest(0, slices.reserved_usd - %(usd)s::numeric)
where slices.slice_id = %(slice_id)s;

-- name: book_lost_tries
-- Rows that were in flight when their process died may have been answered, and paid: they are booked at their most.
update backfill.slices
set cost_usd = slices.cost_usd + slices.reserved_usd, reserved_usd = 0
where slices.slice_id = %(slice_id)s and slices.state = 'submitted' and slices.transport = 'interactive';

-- name: measured
-- How long the answers of the last slices of this version were, cut-off ones too.
select
    count(*) as answers,
    avg(generations.output_tokens)::float as mean,
    stddev_samp(generations.output_tokens)::float as deviation
from backfill.generations
where
    generations.slice_id in (
        select slices.slice_id
        from backfill.slices
        where
            slices.backfill = %(backfill)s
            and slices.extractor_version = %(extractor_version)s
            and slices.question = 'answer'
            and slices.model = %(model)s
            and slices.rows_per_request = %(rows)s
            and slices.state = 'done'
            and slices.attempt = 1
        order by slices.finished_at desc
        limit 5
    )
    and generations.output_tokens > 0;

-- name: most_searches
select max((slices.measures ->> 'searches')::float / slices.request_count) as searches
from backfill.slices
where
    slices.backfill = %(backfill)s
    and slices.extractor_version = %(extractor_version)s
    and slices.state = 'done'
    and slices.request_count >= 20;
