-- name: forget_rereads
delete from backfill.rereads
where rereads.backfill = %(backfill)s and rereads.extractor_version = %(extractor_version)s;

-- name: next_rereads
select
    rereads.place,
    rereads.doc_id,
    rereads.target_id,
    rereads.content_hash,
    rereads.question_id,
    rereads.state,
    rereads.attempts
from backfill.rereads
where
    rereads.backfill = %(backfill)s
    and rereads.extractor_version = %(extractor_version)s
    and rereads.place > %(after)s
order by rereads.place
limit %(size)s;

-- name: note_reading
-- Their rows are what this reading makes of their answers.
update backfill.projections
set reading = %(reading)s, fingerprint = read_again.fingerprint
from (
    select
        unnest(%(doc_ids)s::uuid[]) as doc_id,
        unnest(%(fingerprints)s::bigint[]) as fingerprint
) as read_again
where
    projections.doc_id = read_again.doc_id
    and (
        projections.reading <> %(reading)s
        or projections.fingerprint is null and read_again.fingerprint is not null
    );

-- name: note_usable
update backfill.questions
set is_usable = true
where questions.question_id = any(%(question_ids)s) and not questions.is_usable;

-- name: count_readings
-- By which readings the rows of a version stand, or of each.
select
    projections.backfill,
    projections.extractor_version,
    projections.reading,
    count(*) as targets
from backfill.projections
where
    projections.records > 0
    and (%(backfill)s::text is null or (
        projections.backfill = %(backfill)s and projections.extractor_version = %(extractor_version)s
    ))
group by projections.backfill, projections.extractor_version, projections.reading
order by projections.reading;

-- name: columns_of_readings
select distinct
    projections.reading,
    readings.columns,
    readings.by_text
from backfill.projections
left join backfill.readings
    on
        projections.backfill = readings.backfill
        and projections.extractor_version = readings.extractor_version
        and projections.reading = readings.reading
where
    projections.backfill = %(backfill)s
    and projections.extractor_version = %(extractor_version)s
    and projections.records > 0;
