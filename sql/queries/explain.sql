-- name: lives
-- All that the ledger has of a target, the latest first: its text's end under each version, and what its rows are of.
select
    generations.doc_id,
    generations.extractor_version,
    generations.content_hash,
    generations.state,
    generations.reason,
    generations.detail,
    generations.attempts,
    generations.input_tokens,
    generations.output_tokens,
    generations.model_version,
    generations.planned_at,
    generations.ended_at,
    generations.slice_id,
    slices.wave,
    slices.transport,
    slices.model,
    slices.job_name,
    slices.request_count,
    slices.input_tokens as slice_input_tokens,
    slices.output_tokens as slice_output_tokens,
    slices.cost_usd as slice_usd,
    slices.finished_at,
    runs.run_id,
    runs.kind,
    runs.started_at,
    runs.approved_usd,
    runs.approved_by,
    projections.records,
    projections.reading,
    projections.fingerprint,
    projections.projected_at,
    readings.columns,
    readings.by_text,
    versions.meaning,
    versions.withdrawn_at,
    projections.doc_id is not null as is_projected
from backfill.generations
left join backfill.slices on generations.slice_id = slices.slice_id
left join backfill.runs on slices.run_id = runs.run_id
left join backfill.projections on generations.doc_id = projections.doc_id
left join backfill.readings
    on
        projections.backfill = readings.backfill
        and projections.extractor_version = readings.extractor_version
        and projections.reading = readings.reading
left join backfill.versions
    on
        generations.backfill = versions.backfill
        and generations.extractor_version = versions.extractor_version
where generations.backfill = %(backfill)s and generations.target_id = %(target_id)s
order by generations.planned_at desc, generations.doc_id asc;
