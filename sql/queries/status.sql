-- name: ends
-- Where the ledger's targets stand, by backfill and version; those in slices on their way apart.
with open_slices as (
    select
        slices.backfill,
        slices.extractor_version,
        sum(slices.request_count) filter (where slices.state in ('reserved', 'submitted')) as in_flight,
        sum(slices.cost_usd) as spent_usd
    from backfill.slices
    group by slices.backfill, slices.extractor_version
)

select
    coverage.backfill,
    coverage.extractor_version,
    coverage.targets,
    coverage.written,
    coverage.empty,
    coverage.bad,
    coverage.skipped,
    (
        select count(*) from backfill.restores
        where
            restores.backfill = coverage.backfill
            and restores.extractor_version = coverage.extractor_version
    ) as to_restore,
    (select pauses.since from backfill.pauses where pauses.backfill = coverage.backfill) as paused_since,
    (
        select coalesce(sum(tries.cost_usd), 0) from backfill.tries
        where tries.backfill = coverage.backfill
    ) + (
        select coalesce(sum(comparisons.spent_usd), 0) from backfill.comparisons
        where comparisons.backfill = coverage.backfill
    ) as tried_usd,
    coalesce(open_slices.in_flight, 0) as in_flight,
    coverage.planned - coalesce(open_slices.in_flight, 0) as planned,
    coalesce(open_slices.spent_usd, 0) as spent_usd
from backfill.coverage
left join open_slices
    on
        coverage.backfill = open_slices.backfill
        and coverage.extractor_version = open_slices.extractor_version
order by coverage.backfill, coverage.extractor_version;

-- name: bad_reasons
select
    generations.backfill,
    generations.extractor_version,
    generations.reason,
    count(*) as targets
from backfill.generations
where generations.state = 'bad' and generations.reason is not null
group by generations.backfill, generations.extractor_version, generations.reason
order by targets desc;

-- name: latest_runs
-- The latest run of each backfill and version, or that of a flow run.
select distinct on (runs.backfill, runs.extractor_version)
    runs.run_id,
    runs.backfill,
    runs.extractor_version,
    runs.kind,
    runs.state,
    runs.message,
    runs.restored,
    runs.started_at,
    runs.ended_at,
    runs.estimated_usd,
    runs.approved_usd,
    runs.approved_by
from backfill.runs
where %(flow_run_id)s::text is null or runs.flow_run_id = %(flow_run_id)s
order by runs.backfill asc, runs.extractor_version asc, coalesce(runs.ended_at, now()) desc, runs.started_at desc;

-- name: open_slices
select
    slices.backfill,
    slices.extractor_version,
    slices.slice_id,
    slices.state,
    slices.wave,
    slices.attempt,
    slices.request_count,
    slices.job_name,
    slices.error,
    extract(epoch from clock_timestamp() - coalesce(slices.submitted_at, slices.reserved_at)) as age_seconds
from backfill.slices
where slices.state in ('planned', 'reserved', 'submitted')
order by slices.state <> 'planned' desc, coalesce(slices.submitted_at, slices.reserved_at) asc, slices.slice_id asc;
