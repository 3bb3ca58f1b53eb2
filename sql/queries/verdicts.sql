-- name: record_verdict
update backfill.runs
set passed = %(passed)s, digest = %(digest)s
where runs.run_id = %(run_id)s;

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
