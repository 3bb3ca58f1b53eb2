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

-- name: look_again
-- Rows may be written now that did not change since the last look.
delete from backfill.looks
where looks.backfill = %(backfill)s and looks.extractor_version = %(extractor_version)s;
