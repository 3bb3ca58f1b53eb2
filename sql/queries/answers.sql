-- name: keep_block
insert into backfill.answer_blocks (backfill, extractor_version, answers, payload, kept_at)
values (
    %(backfill)s,
    %(extractor_version)s,
    %(answers)s,
    %(payload)s,
    coalesce(%(kept_at)s::timestamptz, now())
)
returning answer_blocks.block_id;

-- name: keep_questions
-- The first usable answer stays: the rows that stand were made of it. What has no vector or time has none in the lists.
insert into backfill.questions (
    question_id, backfill, extractor_version, block_id, place, is_usable, vector, answered_at
)
select
    kept.question_id,
    %(backfill)s,
    %(extractor_version)s,
    %(block_id)s,
    kept.place,
    kept.is_usable,
    kept.vector::real[],
    coalesce(kept.answered_at, now())
from (
    select
        generate_subscripts(%(question_ids)s::uuid[], 1) - 1 as place,
        unnest(%(question_ids)s::uuid[]) as question_id,
        unnest(%(usable)s::boolean[]) as is_usable,
        unnest(%(vectors)s::text[]) as vector,
        unnest(%(answered_at)s::timestamptz[]) as answered_at
) as kept
on conflict (question_id) do update
    set
        block_id = excluded.block_id,
        place = excluded.place,
        is_usable = excluded.is_usable,
        vector = coalesce(excluded.vector, questions.vector),
        answered_at = excluded.answered_at
    where questions.is_usable is not true or questions.block_id is null;

-- name: keep_vector
insert into backfill.questions (question_id, backfill, extractor_version, vector)
values (%(question_id)s, %(backfill)s, %(extractor_version)s, %(vector)s::real[])
on conflict (question_id) do update
    set vector = excluded.vector
    where questions.vector is null;

-- name: with_vector
select questions.question_id
from backfill.questions
where questions.question_id = any(%(question_ids)s) and questions.vector is not null;

-- name: vectors
select
    questions.question_id,
    questions.vector
from backfill.questions
where questions.question_id = any(%(question_ids)s) and questions.vector is not null;

-- name: kept_answers
select
    questions.question_id,
    questions.place,
    questions.block_id
from backfill.questions
where questions.question_id = any(%(question_ids)s) and questions.block_id is not null;

-- name: blocks
select
    answer_blocks.block_id,
    answer_blocks.payload
from backfill.answer_blocks
where answer_blocks.block_id = any(%(block_ids)s);

-- name: standing
-- Targets for which the rows of another text than the member's stand, and what those were when they were written;
-- of any text, where the member has none. Each is looked up by itself: a first run fills the table while its
-- statistics are of an empty one, and a join planned by them took a second for 80 targets among 50,000.
select
    projections.target_id,
    projections.fingerprint,
    readings.columns,
    readings.by_text
from (
    select
        unnest(%(doc_ids)s::uuid[]) as doc_id,
        unnest(%(target_ids)s::text[]) as target_id
) as members
cross join
    lateral (
        select
            others.target_id,
            others.fingerprint,
            others.reading
        from backfill.projections as others
        where
            others.target_id = members.target_id
            and others.extractor_version = %(extractor_version)s
            and others.backfill = %(backfill)s
            and others.doc_id is distinct from members.doc_id
        offset 0
    ) as projections
left join backfill.readings
    on
        readings.backfill = %(backfill)s
        and readings.extractor_version = %(extractor_version)s
        and projections.reading = readings.reading;

-- name: superseded
-- Targets for which an older text's rows stand, although a newer one has come to an end without rows of its own.
select
    generations.doc_id,
    generations.target_id,
    generations.content_hash,
    older.doc_id as older_doc_id,
    older.content_hash as older_content_hash
from backfill.generations
inner join backfill.projections
    on
        generations.target_id = projections.target_id
        and generations.extractor_version = projections.extractor_version
        and generations.backfill = projections.backfill
inner join backfill.generations as older on projections.doc_id = older.doc_id
where
    generations.backfill = %(backfill)s
    and generations.extractor_version = %(extractor_version)s
    and generations.doc_id > %(after)s
    and (generations.state = 'bad' or (generations.state = 'skipped' and generations.reason = 'empty_text'))
    and generations.doc_id <> projections.doc_id
    and projections.records > 0
order by generations.doc_id
limit %(size)s;

-- name: standing_in_place
-- Of a row that is filled in in place, whichever version did so last.
select distinct on (projections.target_id)
    projections.target_id,
    projections.fingerprint,
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
    and projections.target_id = any(%(target_ids)s)
    and projections.records > 0
order by projections.target_id asc, projections.projected_at desc;

-- name: unproject
delete from backfill.projections
where
    projections.backfill = %(backfill)s
    and projections.extractor_version = %(extractor_version)s
    and projections.target_id = any(%(target_ids)s);

-- name: project
insert into backfill.projections (doc_id, backfill, extractor_version, target_id, records, fingerprint, reading)
select
    written.doc_id,
    %(backfill)s,
    %(extractor_version)s,
    written.target_id,
    written.records,
    written.fingerprint,
    %(reading)s
from (
    select
        unnest(%(doc_ids)s::uuid[]) as doc_id,
        unnest(%(target_ids)s::text[]) as target_id,
        unnest(%(records)s::integer[]) as records,
        unnest(%(fingerprints)s::bigint[]) as fingerprint
) as written
on conflict (doc_id) do update
    set
        records = excluded.records,
        fingerprint = excluded.fingerprint,
        reading = excluded.reading,
        projected_at = now();

-- name: note_columns
insert into backfill.readings (backfill, extractor_version, reading, columns)
values (%(backfill)s, %(extractor_version)s, %(reading)s, %(columns)s)
on conflict do nothing;

-- name: columns
select
    readings.columns,
    readings.by_text
from backfill.readings
where
    readings.backfill = %(backfill)s
    and readings.extractor_version = %(extractor_version)s
    and readings.reading = %(reading)s;

-- name: next_restores
-- Those whose answer is there; a twin waits for the question that is on its way.
select
    restores.place,
    restores.doc_id,
    restores.target_id,
    restores.content_hash,
    restores.question_id
from backfill.restores
inner join backfill.questions on restores.question_id = questions.question_id
where
    restores.backfill = %(backfill)s
    and restores.extractor_version = %(extractor_version)s
    and restores.place > %(after)s
    and questions.is_usable
    and questions.block_id is not null
order by restores.place
limit %(size)s;

-- name: take_restores
delete from backfill.restores
where restores.doc_id = any(%(doc_ids)s)
returning restores.doc_id;

-- name: count_waiting
-- What can be restored, and how much of it had rows before; what stands is counted only where that is many.
with ready as (
    select generations.state
    from backfill.restores
    inner join backfill.questions on restores.question_id = questions.question_id
    left join backfill.generations on restores.doc_id = generations.doc_id
    where
        restores.backfill = %(backfill)s
        and restores.extractor_version = %(extractor_version)s
        and questions.is_usable
        and questions.block_id is not null
),

counted as (
    select
        count(*) as ready,
        count(*) filter (where ready.state = 'written') as missing
    from ready
)

select
    counted.ready,
    counted.missing,
    case
        when counted.missing <= %(many)s then 0
        else (
            select count(*) from backfill.projections
            where
                projections.backfill = %(backfill)s
                and projections.extractor_version = %(extractor_version)s
                and projections.records > 0
        )
    end as standing
from counted;

-- name: forget_restores
delete from backfill.restores
where restores.backfill = %(backfill)s and restores.extractor_version = %(extractor_version)s;

-- name: end_restored
-- A target that was never asked has no entry yet: its twin was.
insert into backfill.generations (
    doc_id, backfill, extractor_version, target_id, content_hash, state, reason, ended_at
)
select
    restored.doc_id,
    %(backfill)s,
    %(extractor_version)s,
    restored.target_id,
    restored.content_hash,
    restored.state,
    restored.reason,
    now()
from (
    select
        unnest(%(doc_ids)s::uuid[]) as doc_id,
        unnest(%(target_ids)s::text[]) as target_id,
        unnest(%(content_hashes)s::uuid[]) as content_hash,
        unnest(%(states)s::text[]) as state,
        unnest(%(reasons)s::text[]) as reason
) as restored
on conflict (doc_id) do update
    set
        state = excluded.state,
        reason = excluded.reason,
        detail = case when excluded.state = 'bad' then generations.detail end,
        raw = case when excluded.state = 'bad' then generations.raw end,
        ended_at = now()
    where generations.state <> 'planned';

-- name: recount_slices
-- A target that was asked keeps its slice, whose sums say how its targets ended.
with changes as (
    select
        generations.slice_id,
        sum((restored.state = 'written')::integer - (generations.state = 'written')::integer) as written,
        sum((restored.state = 'empty')::integer - (generations.state = 'empty')::integer) as empty,
        sum((restored.state = 'bad')::integer - (generations.state = 'bad')::integer) as bad,
        sum((restored.state = 'skipped')::integer - (generations.state = 'skipped')::integer) as skipped
    from (
        select
            unnest(%(doc_ids)s::uuid[]) as doc_id,
            unnest(%(states)s::text[]) as state
    ) as restored
    inner join backfill.generations on restored.doc_id = generations.doc_id
    where generations.state <> 'planned' and generations.state <> restored.state
    group by generations.slice_id
)

update backfill.slices
set
    written = slices.written + changes.written,
    empty = slices.empty + changes.empty,
    bad = slices.bad + changes.bad,
    skipped = slices.skipped + changes.skipped
from changes
where slices.slice_id = changes.slice_id and slices.state = 'done';

-- name: note_restored
update backfill.runs
set restored = runs.restored + %(targets)s
where runs.run_id = %(run_id)s;

-- name: count_kept
select
    count(*) filter (where questions.is_usable and questions.block_id is not null) as usable,
    count(*) as questions
from backfill.questions
where questions.backfill = %(backfill)s and questions.extractor_version = %(extractor_version)s;
