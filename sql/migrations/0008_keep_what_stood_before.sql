-- Of rows that are filled in in place: what our columns held before we first did, as texts, so that a rollback can put
-- it back; and a hash of each as we last wrote it, so that what a person wrote since is known from what is ours.
create table backfill.filled (
    backfill text not null,
    extractor_version text not null,
    target_id text not null,
    before jsonb not null,
    written jsonb,
    filled_at timestamptz not null default now(),
    primary key (target_id, extractor_version, backfill)
);

-- A vector is paid for before the answer that it joins: its question is known by then, and not answered yet.
alter table backfill.questions alter column is_usable drop not null;

insert into backfill.questions (question_id, backfill, extractor_version, vector)
select distinct on (known.question_id)
    known.question_id,
    known.backfill,
    known.extractor_version,
    known.vector
from (
    select
        backfill.question_id(
            generations.backfill, generations.extractor_version, generations.content_hash
        ) as question_id,
        generations.backfill,
        generations.extractor_version,
        vectors.vector
    from backfill.vectors
    inner join backfill.generations on vectors.doc_id = generations.doc_id
) as known
on conflict (question_id) do nothing;

drop table backfill.vectors;
