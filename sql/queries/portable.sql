-- name: meanings
-- What each version means, with all that this ledger knows of it.
select to_jsonb(versions) as meaning
from backfill.versions
where
    versions.backfill = %(backfill)s
    and (%(extractor_version)s::text is null or versions.extractor_version = %(extractor_version)s)
order by versions.recorded_at, versions.extractor_version;

-- name: kept_by_block
select
    answer_blocks.payload,
    jsonb_agg(jsonb_build_object(
        'question_id', questions.question_id,
        'content_hash', known.content_hash,
        'is_usable', questions.is_usable,
        'answered_at', questions.answered_at,
        'vector', questions.vector,
        'place', questions.place
    ) order by questions.place) as kept
from backfill.answer_blocks
inner join backfill.questions on answer_blocks.block_id = questions.block_id
left join (
    select distinct
        generations.content_hash,
        backfill.question_id(
            generations.backfill, generations.extractor_version, generations.content_hash
        ) as question_id
    from backfill.generations
    where generations.backfill = %(backfill)s and generations.extractor_version = %(extractor_version)s
) as known on questions.question_id = known.question_id
where answer_blocks.backfill = %(backfill)s and answer_blocks.extractor_version = %(extractor_version)s
group by answer_blocks.block_id
order by answer_blocks.block_id;

-- name: record_meaning
-- All that the other ledger knew of the version; where it means the same here, what is known here stays.
insert into backfill.versions
select meaning.*
from jsonb_populate_record(null::backfill.versions, %(meaning)s) as meaning
on conflict (backfill, extractor_version) do update
    set
        digest = excluded.digest,
        model = excluded.model,
        meaning = excluded.meaning,
        recorded_at = excluded.recorded_at
    where versions.digest <> excluded.digest;

-- name: kept_already
-- Answers that are here and as good as the one that comes.
select questions.question_id
from backfill.questions
inner join (
    select
        unnest(%(question_ids)s::uuid[]) as question_id,
        unnest(%(usable)s::boolean[]) as is_usable
) as coming on questions.question_id = coming.question_id
where questions.block_id is not null and (questions.is_usable or not coming.is_usable);

-- name: keep_block
-- It is as old as the latest answer in it.
insert into backfill.answer_blocks (backfill, extractor_version, answers, payload, kept_at)
values (%(backfill)s, %(extractor_version)s, %(answers)s, %(payload)s, %(kept_at)s)
returning answer_blocks.block_id;

-- name: keep_questions
insert into backfill.questions (
    question_id, backfill, extractor_version, block_id, place, is_usable, vector, answered_at
)
select
    coming.question_id,
    %(backfill)s,
    %(extractor_version)s,
    %(block_id)s,
    coming.place,
    coming.is_usable,
    coming.vector::real[],
    coming.answered_at
from (
    select
        generate_subscripts(%(question_ids)s::uuid[], 1) - 1 as place,
        unnest(%(question_ids)s::uuid[]) as question_id,
        unnest(%(usable)s::boolean[]) as is_usable,
        unnest(%(vectors)s::text[]) as vector,
        unnest(%(answered_at)s::timestamptz[]) as answered_at
) as coming
on conflict (question_id) do update
    set
        block_id = excluded.block_id,
        place = excluded.place,
        is_usable = excluded.is_usable,
        vector = excluded.vector,
        answered_at = excluded.answered_at;
