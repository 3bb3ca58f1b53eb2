-- name: create_tables
-- The user's tables, as they are found in the field: no unique key, evidence unused so far.
create table if not exists passages (
    passage_id uuid primary key,
    text text
);

create table if not exists passage_concepts (
    passage_id uuid,
    concept_name text,
    concept_type text,
    aliases jsonb,
    confidence real,
    extractor_model text,
    extractor_version text,
    evidence jsonb,
    created_at timestamptz
);

create index if not exists passage_concepts_by_passage
on passage_concepts (passage_id, extractor_version);

-- name: insert_passage
insert into passages (passage_id, text)
values (%(passage_id)s, %(text)s)
on conflict do nothing;

-- name: plant_legacy_rows
-- Rows of older extractors for some passages, with duplicates and without evidence.
insert into passage_concepts (
    passage_id, concept_name, concept_type, aliases, confidence, extractor_model, extractor_version, created_at
)
select
    passages.passage_id,
    lower(split_part(passages.text, ' ', word.place)),
    (array['method', 'domain', 'tool', 'entity'])[word.place],
    '[]'::jsonb,
    0.6,
    legacy.version as extractor_model,
    legacy.version as extractor_version,
    '2025-03-01'::timestamptz
from passages
cross join (values ('llm_v2', 8), ('haiku_v1', 16)) as legacy (version, every)
cross join generate_series(1, 4) as word (place)
cross join generate_series(1, 2) as copy (number)
where
    mod(abs(hashtext(passages.passage_id::text)), legacy.every) = 0
    and not exists (
        select 1 from passage_concepts
        where passage_concepts.extractor_version in ('llm_v2', 'haiku_v1')
    );

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
        passages.text,
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
