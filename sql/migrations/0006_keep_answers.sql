-- Answers are the asset, rows a projection of them: what was paid for is kept, compressed, at most 250 in a block.
create table backfill.answer_blocks (
    block_id bigint generated always as identity primary key,
    backfill text not null,
    extractor_version text not null,
    answers smallint not null,
    payload bytea not null,
    kept_at timestamptz not null default now()
);

create index answer_blocks_by_version on backfill.answer_blocks (backfill, extractor_version);

-- A question that was answered, for good or bad, whoever asked it: whoever asks it again finds its answer here. Without
-- a block the answer was not kept.
create table backfill.questions (
    question_id uuid primary key,
    backfill text not null,
    extractor_version text not null,
    block_id bigint references backfill.answer_blocks (block_id),
    place smallint,
    is_usable boolean not null,
    vector real[],
    answered_at timestamptz not null default now()
);

-- Whose answer's rows stand for a target, how many they were when they were written, and what they were: a person who
-- corrects one changes its fingerprint. Null where nobody took it.
create table backfill.projections (
    doc_id uuid primary key,
    backfill text not null,
    extractor_version text not null,
    target_id text not null,
    records integer not null,
    fingerprint bigint,
    projected_at timestamptz not null default now()
);

create index projections_by_target on backfill.projections (target_id, extractor_version, backfill);

-- What ledgers hold by now: the last answer that became rows is the one whose rows stand.
insert into backfill.projections (doc_id, backfill, extractor_version, target_id, records, projected_at)
select distinct on (generations.target_id, generations.extractor_version, generations.backfill)
    generations.doc_id,
    generations.backfill,
    generations.extractor_version,
    generations.target_id,
    case when generations.state = 'written' then 1 else 0 end,
    coalesce(generations.ended_at, now())
from backfill.generations
where generations.state in ('written', 'empty')
order by
    generations.target_id asc,
    generations.extractor_version asc,
    generations.backfill asc,
    generations.ended_at desc nulls last;

-- CSV answers of one target stand beside each other, one for each question.
insert into backfill.projections (doc_id, backfill, extractor_version, target_id, records)
select
    csv_answers.doc_id,
    csv_answers.backfill,
    csv_answers.extractor_version,
    csv_answers.target_id,
    1
from backfill.csv_answers
on conflict (doc_id) do nothing;

-- Targets whose rows are missing although their answer is kept, until they are written again.
create table backfill.restores (
    doc_id uuid primary key,
    backfill text not null,
    extractor_version text not null,
    target_id text not null,
    content_hash uuid not null,
    question_id uuid not null
);

-- A version that was rolled back is refused until a person takes it back.
alter table backfill.versions add column withdrawn_at timestamptz;

alter table backfill.runs add column restored integer not null default 0;

-- What is asked, without whom it is asked for: the same as tasks/core/identity.py.
create function backfill.question_id(backfill text, extractor_version text, content uuid)
returns uuid
language sql immutable parallel safe
return substr(encode(sha256(
    backfill.part(backfill) || backfill.part(extractor_version) || backfill.part(content::text)
), 'hex'), 1, 32)::uuid;

-- As they are kept, so that a row reads the same when it is written again.
alter table backfill.vectors alter column vector type real[];
