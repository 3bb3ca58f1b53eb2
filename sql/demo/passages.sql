-- name: create_tables
-- The user's tables, as they are found in the field; evidence was added later and is unused so far.
create table if not exists passages (
    passage_id uuid primary key,
    doc_id uuid not null,
    page_num int,
    page_char_start int not null,
    page_char_end int not null,
    section text,
    passage_text text not null,
    quality_score double precision default 1.0,
    parser_version text,
    created_at timestamptz,
    citable boolean
);

create table if not exists passage_concepts (
    passage_id uuid,
    concept_name text,
    concept_type text,
    aliases jsonb,
    confidence real,
    extractor_model text not null,
    extractor_version text not null,
    created_at timestamptz default now(),
    evidence jsonb,
    primary key (passage_id, concept_name, extractor_version)
);

create index if not exists passage_concepts_by_name on passage_concepts (concept_name);
create index if not exists passage_concepts_by_version on passage_concepts (extractor_version);

create table if not exists kb_migrations (
    job_name text primary key,
    cursor_position text,
    cursor_type text,
    updated_at timestamptz,
    status text not null,
    notes text,
    items_processed int default 0,
    items_failed int default 0,
    started_at timestamptz,
    finished_at timestamptz
);

-- Where the ledger's migration came first, it made a smaller one.
alter table kb_migrations
add column if not exists notes text,
add column if not exists items_failed int default 0,
add column if not exists started_at timestamptz,
add column if not exists finished_at timestamptz;

-- name: mark_as_samples
comment on table passages is 'Sample data of the embedded stack: docstrings of the standard library';

-- name: insert_passage
-- An id and a text; where it stands is made up.
insert into passages (
    passage_id, doc_id, page_num, page_char_start, page_char_end, passage_text, parser_version, created_at, citable
)
values (
    %(passage_id)s,
    '00000000-0000-4000-8000-000000000001',
    1,
    0,
    coalesce(length(%(passage_text)s::text), 0),
    %(passage_text)s::text,
    'samples_v1',
    now(),
    true
)
on conflict do nothing;

-- name: lay_out
-- Spread the samples over documents, pages and sections; one in forty is a list of references, poor to read.
with places as (
    select
        passages.passage_id,
        abs(hashtext(passages.passage_id::text)::bigint) as number
    from passages
)

update passages
set
    doc_id = md5((mod(places.number, 40))::text)::uuid,
    page_num = 1 + mod(places.number, 24),
    page_char_start = mod(places.number, 3000),
    page_char_end = mod(places.number, 3000) + length(passages.passage_text),
    section = case
        when mod(places.number, 40) = 7 then 'references'
        else (array['abstract', 'introduction', 'methods', 'results', 'discussion'])[1 + mod(places.number, 5)]
    end,
    quality_score = case when mod(places.number, 40) = 7 then 0.2 else 1.0 end,
    citable = mod(places.number, 40) <> 7
from places
where passages.passage_id = places.passage_id;

-- name: plant_legacy_rows
-- Rows of two older extractors for some passages, without evidence.
with concepts as (
    select
        passages.passage_id,
        legacy.version,
        (array['method', 'domain', 'metric', 'technique'])[word.place] as concept_type,
        trim(
            '_' from regexp_replace(lower(split_part(passages.passage_text, ' ', word.place)), '\W+', '_', 'g')
        ) as concept_name
    from passages
    cross join (values ('llm_v2', 8), ('haiku_v1', 16)) as legacy (version, every)
    cross join generate_series(1, 4) as word (place)
    where mod(abs(hashtext(passages.passage_id::text)), legacy.every) = 0
)

insert into passage_concepts (
    passage_id, concept_name, concept_type, aliases, confidence, extractor_model, extractor_version, created_at
)
select
    concepts.passage_id,
    concepts.concept_name,
    concepts.concept_type,
    '[]'::jsonb,
    0.6,
    concepts.version as extractor_model,
    concepts.version as extractor_version,
    '2025-03-01'::timestamptz
from concepts
where concepts.concept_name <> ''
on conflict do nothing;

-- name: legacy_checksum
select coalesce(md5(string_agg(md5(passage_concepts::text), '' order by passage_concepts::text)), '') as checksum
from passage_concepts
where passage_concepts.extractor_version in ('llm_v2', 'haiku_v1');

-- name: false_offsets
-- Support entries whose quote is not what stands at their offsets; none, if the invariant holds.
select count(*) as false_offsets
from passage_concepts
inner join passages on passage_concepts.passage_id = passages.passage_id
cross join lateral jsonb_array_elements(passage_concepts.evidence -> 'support') as support (entry)
where
    passage_concepts.extractor_version = 'gemini_batch_v1'
    and substr(
        passages.passage_text,
        (support.entry ->> 'start')::int + 1,
        (support.entry ->> 'end')::int - (support.entry ->> 'start')::int
    ) <> support.entry ->> 'quote';

-- name: result
select
    (select count(*) from passages) as targets,
    (select count(*) from passage_concepts where passage_concepts.extractor_version = 'gemini_batch_v1') as concepts,
    (
        select avg((jsonb_array_length(passage_concepts.evidence -> 'support') > 0)::int)
        from passage_concepts
        where passage_concepts.extractor_version = 'gemini_batch_v1'
    ) as evidence_coverage,
    (
        select jsonb_object_agg(ends.label, ends.targets) from (
            select
                generations.state || coalesce(': ' || generations.reason, '') as label,
                count(*) as targets
            from backfill.generations
            where generations.backfill = 'passage_concepts'
            group by label
        ) as ends
    ) as ends,
    sum(slices.input_tokens) as input_tokens,
    sum(slices.output_tokens) as output_tokens,
    sum(slices.cost_usd) as cost_usd,
    count(*) as slices
from backfill.slices
where slices.backfill = 'passage_concepts';
