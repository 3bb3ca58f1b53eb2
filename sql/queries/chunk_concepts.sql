-- name: select_targets
-- Every chunk, and whether somebody already wrote rows of this extractor version for it.
with existing as (
    select distinct chunk_concepts.chunk_id
    from chunk_concepts
    where chunk_concepts.extractor_version = %(extractor_version)s
)

select
    code_chunks.chunk_id::text as target_id,
    code_chunks.content,
    existing.chunk_id is not null as has_rows
from code_chunks
left join existing on code_chunks.chunk_id::text = existing.chunk_id;

-- name: select_texts
-- The parameter is an array literal without a type, so that it fits the column's.
select
    code_chunks.chunk_id::text as target_id,
    code_chunks.content
from code_chunks
where code_chunks.chunk_id = any(%(target_ids)s);

-- name: record_columns
select
    chunk_id,
    concept_name,
    concept_type,
    aliases,
    confidence,
    extractor_model,
    extractor_version,
    evidence,
    created_at
from chunk_concepts
where false;

-- name: copy_records
-- noqa: disable=all
copy chunk_concepts (
    chunk_id, concept_name, concept_type, aliases, confidence, extractor_model, extractor_version, evidence,
    created_at
) from stdin with (format binary);
-- noqa: enable=all

-- name: delete_records
delete from chunk_concepts
where
    chunk_concepts.chunk_id = any(%(target_ids)s)
    and chunk_concepts.extractor_version = %(extractor_version)s;

-- name: measure
-- What the rows of one run hold, read back from the table.
with answered as (
    select generations.target_id
    from backfill.generations
    inner join backfill.slices on generations.slice_id = slices.slice_id
    where slices.run_id = %(run_id)s and generations.state in ('written', 'empty')
),

concepts as (
    select
        chunk_concepts.chunk_id,
        chunk_concepts.concept_name,
        jsonb_array_length(chunk_concepts.evidence -> 'support') > 0 as has_support
    from chunk_concepts
    inner join answered on chunk_concepts.chunk_id::text = answered.target_id
    where chunk_concepts.extractor_version = %(extractor_version)s
),

per_chunk as (
    select count(concepts.chunk_id) as concepts
    from answered
    left join concepts on answered.target_id = concepts.chunk_id::text
    group by answered.target_id
)

select
    (select count(*) from concepts) as concepts,
    (select avg(concepts.has_support::int) from concepts) as evidence_coverage,
    (select count(*) from concepts where length(concepts.concept_name) > 60) as garbage_names,
    avg(per_chunk.concepts) as concepts_per_chunk,
    percentile_cont(0.1) within group (order by per_chunk.concepts) as concepts_p10,
    percentile_cont(0.9) within group (order by per_chunk.concepts) as concepts_p90
from per_chunk;

-- name: distribution
-- The share of each concept type in this version, beside that of the rows of llm_v2.
with counted as (
    select
        chunk_concepts.extractor_version,
        coalesce(chunk_concepts.concept_type, '(none)') as label,
        count(*) as concepts
    from chunk_concepts
    where chunk_concepts.extractor_version in (%(extractor_version)s, 'llm_v2')
    group by chunk_concepts.extractor_version, coalesce(chunk_concepts.concept_type, '(none)')
)

select
    counted.label,
    coalesce(sum(counted.concepts) filter (where counted.extractor_version = %(extractor_version)s), 0)::bigint as ours,
    coalesce(sum(counted.concepts) filter (where counted.extractor_version = 'llm_v2'), 0)::bigint as theirs
from counted
group by counted.label
order by ours desc, counted.label;

-- name: coverage
with existing as (
    select distinct chunk_concepts.chunk_id
    from chunk_concepts
    where chunk_concepts.extractor_version = %(extractor_version)s
)

select
    count(*) as all_targets,
    count(*) filter (where existing.chunk_id is not null) as targets_with_rows
from code_chunks
left join existing on code_chunks.chunk_id::text = existing.chunk_id;

-- name: count_records
select
    'chunk_concepts' as table_name,
    count(*) as records
from chunk_concepts
where chunk_concepts.extractor_version = %(extractor_version)s;

-- name: targets_with_records
select distinct chunk_concepts.chunk_id::text as target_id
from chunk_concepts
where chunk_concepts.extractor_version = %(extractor_version)s
limit %(step)s;
