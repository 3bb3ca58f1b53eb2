-- name: create_tables
create table if not exists code_chunks (
    chunk_id text primary key,
    text text
);

create table if not exists chunk_concepts (
    chunk_id text,
    concept_name text,
    concept_type text,
    aliases jsonb,
    confidence real,
    extractor_model text,
    extractor_version text,
    evidence jsonb,
    created_at timestamptz
);

create index if not exists chunk_concepts_by_chunk
on chunk_concepts (chunk_id, extractor_version);

-- name: insert_target
insert into code_chunks (chunk_id, text)
values (%(chunk_id)s, %(text)s)
on conflict do nothing;

-- name: plant_legacy_rows
-- Rows of an older extractor for one chunk in eleven, as in the field: without evidence.
insert into chunk_concepts (
    chunk_id, concept_name, concept_type, aliases, confidence, extractor_model, extractor_version, created_at
)
select
    code_chunks.chunk_id,
    split_part(code_chunks.chunk_id, ':', 2),
    'algorithm',
    '[]'::jsonb,
    0.6,
    'llm_v2',
    'llm_v2',
    '2025-03-01'::timestamptz
from code_chunks
where
    mod(abs(hashtext(code_chunks.chunk_id)), 11) = 0
    and not exists (
        select 1 from chunk_concepts
        where chunk_concepts.extractor_version = 'llm_v2'
    );

-- name: foreign_checksum
-- A checksum over everything that is not ours to write.
select coalesce(md5(string_agg(md5(chunk_concepts::text), '' order by chunk_concepts::text)), '') as checksum
from chunk_concepts
where chunk_concepts.extractor_version = 'llm_v2';

-- name: false_offsets
-- Support entries whose quote is not what stands at their offsets; none, if the invariant holds.
select count(*) as false_offsets
from chunk_concepts
inner join code_chunks on chunk_concepts.chunk_id = code_chunks.chunk_id
cross join lateral jsonb_array_elements(chunk_concepts.evidence -> 'support') as support (entry)
where
    chunk_concepts.extractor_version = 'gemini_batch_v1'
    and substr(
        code_chunks.text,
        (support.entry ->> 'start')::int + 1,
        (support.entry ->> 'end')::int - (support.entry ->> 'start')::int
    ) <> support.entry ->> 'quote';
