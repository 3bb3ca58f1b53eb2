-- name: record_verdict
update backfill.runs
set passed = %(passed)s, digest = %(digest)s
where runs.run_id = %(run_id)s;

-- name: record_measured
update backfill.runs
set measured = %(measured)s
where runs.run_id = %(run_id)s;

-- name: earlier_measured
-- What was measured of the last other runs of a run's version, the latest first.
select others.measured
from backfill.runs
inner join backfill.runs as others
    on
        runs.backfill = others.backfill
        and runs.extractor_version = others.extractor_version
        and runs.run_id <> others.run_id
where runs.run_id = %(run_id)s and others.measured is not null
order by others.started_at desc
limit %(last)s;

-- name: mark_running
-- A run that Prefect resumes or retries keeps its plan, so nobody else says that it goes on.
update backfill.runs
set state = 'running', ended_at = null, message = null
where runs.run_id = %(run_id)s and runs.state in ('stopped', 'refused', 'failed', 'finished');

-- name: note_override
update backfill.runs
set without_pilot = true
where runs.run_id = %(run_id)s;

-- name: latest_pilots
-- The pilots that were judged under this very prompt, schema and model, the latest first.
select
    runs.run_id,
    runs.passed,
    runs.message,
    runs.ended_at
from backfill.runs
where
    runs.backfill = %(backfill)s
    and runs.extractor_version = %(extractor_version)s
    and runs.kind = 'pilot'
    and runs.digest = %(digest)s
    and runs.passed is not null
order by runs.ended_at desc nulls last;

-- name: open_targets
select coalesce(sum(slices.request_count), 0)::bigint as targets
from backfill.slices
where
    slices.backfill = %(backfill)s
    and slices.extractor_version = %(extractor_version)s
    and slices.state in ('planned', 'reserved', 'submitted');
