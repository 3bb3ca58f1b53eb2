-- name: one_line_each
-- Every backfill in one line: what became of its targets, in how many jobs, for how much.
with ends as (
    select
        generations.backfill,
        count(*) as targets,
        count(*) filter (where generations.state = 'planned') as planned,
        count(*) filter (where generations.state = 'written') as written,
        count(*) filter (where generations.state = 'empty') as empty,
        count(*) filter (where generations.state = 'bad') as bad,
        count(*) filter (where generations.state = 'skipped') as skipped
    from backfill.generations
    group by generations.backfill
),

paid as (
    select
        slices.backfill,
        count(slices.job_name) as jobs,
        sum(slices.cost_usd) as cost_usd
    from backfill.slices
    group by slices.backfill
)

select
    ends.*,
    paid.jobs,
    paid.cost_usd
from ends
inner join paid on ends.backfill = paid.backfill
order by ends.backfill;
