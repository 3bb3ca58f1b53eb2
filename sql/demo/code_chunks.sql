-- name: create_tables
create table if not exists code_chunks (
    chunk_id uuid primary key default gen_random_uuid(),
    file_id uuid,
    chunk_type text,
    name text,
    class_name text,
    symbol_qualified_name text,
    start_line int,
    end_line int,
    content text not null,
    chunk_hash text,
    docstring text,
    signature text,
    imports text[],
    concepts text[],
    search_vector tsvector
);

create or replace trigger code_chunks_search
before insert or update on code_chunks
for each row execute function tsvector_update_trigger(
    search_vector, 'pg_catalog.simple', name, docstring, content
);

-- The id is text, although the chunks' own is a uuid: so it is in the field.
create table if not exists chunk_concepts (
    chunk_id text not null,
    concept_name text,
    concept_type text,
    aliases jsonb,
    confidence real,
    extractor_model text not null,
    extractor_version text not null,
    created_at timestamptz default now(),
    primary key (chunk_id, concept_name, extractor_version)
);

create index if not exists chunk_concepts_sure on chunk_concepts (confidence) where confidence >= 0.7;

-- name: mark_as_samples
comment on table code_chunks is 'Sample data of the embedded stack: functions of the standard library';

-- name: insert_target
insert into code_chunks (
    chunk_id, file_id, chunk_type, name, class_name, symbol_qualified_name, start_line, end_line, content,
    chunk_hash, docstring, signature, imports
)
values (
    %(chunk_id)s, %(file_id)s, %(chunk_type)s, %(name)s, %(class_name)s, %(symbol_qualified_name)s, %(start_line)s,
    %(end_line)s, %(content)s, %(chunk_hash)s, %(docstring)s, %(signature)s, %(imports)s
)
on conflict do nothing;

-- name: plant_legacy_rows
-- Rows of an older extractor for one chunk in eleven, as in the field: without evidence.
insert into chunk_concepts (
    chunk_id, concept_name, concept_type, aliases, confidence, extractor_model, extractor_version, created_at
)
select
    code_chunks.chunk_id::text,
    trim('_' from lower(code_chunks.name)),
    'algorithm',
    '[]'::jsonb,
    0.6,
    'llm_v2',
    'llm_v2',
    '2025-03-01'::timestamptz
from code_chunks
where mod(abs(hashtext(code_chunks.chunk_id::text)), 11) = 0
on conflict do nothing;

-- name: foreign_checksum
-- A checksum over everything that is not ours to write.
select coalesce(md5(string_agg(md5(chunk_concepts::text), '' order by chunk_concepts::text)), '') as checksum
from chunk_concepts
where chunk_concepts.extractor_version = 'llm_v2';
