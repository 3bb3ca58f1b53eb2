-- name: past_jobs
-- How long finished batch jobs of this version took, from submission to commit.
with taken as (
    select extract(epoch from slices.finished_at - slices.submitted_at) as seconds
    from backfill.slices
    where
        slices.backfill = %(backfill)s
        and slices.extractor_version = %(extractor_version)s
        and slices.state = 'done'
        and slices.submitted_at is not null
)

select
    count(*) as jobs,
    percentile_cont(0.5) within group (order by taken.seconds) as median_seconds,
    percentile_cont(0.9) within group (order by taken.seconds) as slow_seconds
from taken;

-- name: token_spread
-- Nine of ten answers were at least, and nine of ten at most, so long.
select
    percentile_disc(0.1) within group (order by generations.output_tokens) as few,
    percentile_disc(0.9) within group (order by generations.output_tokens) as many
from backfill.generations
where
    generations.backfill = %(backfill)s
    and generations.extractor_version = %(extractor_version)s
    and generations.state in ('written', 'empty')
    and generations.output_tokens > 0;
