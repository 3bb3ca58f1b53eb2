-- name: select_targets
-- Every passage, and whether somebody already wrote rows of this extractor version for it.
select
    passages.passage_id::text as target_id,
    passages.passage_text as content,
    existing.passage_id is not null as has_rows
from passages
left join (
    select distinct passage_concepts.passage_id
    from passage_concepts
    where passage_concepts.extractor_version = %(extractor_version)s
) as existing on passages.passage_id = existing.passage_id;

-- name: select_texts
-- The parameter is an array literal without a type, so that it fits the column's.
select
    passages.passage_id::text as target_id,
    passages.passage_text as content
from passages
where passages.passage_id = any(%(target_ids)s);

-- name: record_columns
select
    passage_id,
    concept_name,
    concept_type,
    aliases,
    confidence,
    extractor_model,
    extractor_version,
    evidence,
    created_at
from passage_concepts
limit 0;

-- name: copy_records
-- noqa: disable=all
copy passage_concepts (
    passage_id, concept_name, concept_type, aliases, confidence, extractor_model, extractor_version, evidence,
    created_at
) from stdin with (format binary);
-- noqa: enable=all

-- name: delete_records
delete from passage_concepts
where
    passage_concepts.passage_id = any(%(target_ids)s)
    and passage_concepts.extractor_version = %(extractor_version)s;

-- name: measure
-- What the rows of one run hold, read back from the table. Grouped, not joined: the table has just been filled, and
-- without statistics a join of this size may be planned as a loop in a loop.
with found as (
    select
        generations.target_id,
        true as is_answered,
        0 as concept,
        null::int as has_support,
        0 as is_garbage
    from backfill.generations
    inner join backfill.slices on generations.slice_id = slices.slice_id
    where slices.run_id = %(run_id)s and generations.state in ('written', 'empty')
    union all
    select
        passage_concepts.passage_id::text as target_id,
        false as is_answered,
        1 as concept,
        (jsonb_array_length(passage_concepts.evidence -> 'support') > 0)::int as has_support,
        (length(passage_concepts.concept_name) > 60)::int as is_garbage
    from passage_concepts
    where passage_concepts.extractor_version = %(extractor_version)s
),

per_passage as (
    select
        sum(found.concept) as concepts,
        sum(found.has_support) as supported,
        count(found.has_support) as with_evidence,
        sum(found.is_garbage) as garbage
    from found
    group by found.target_id
    having bool_or(found.is_answered)
)

select
    coalesce(sum(per_passage.concepts), 0)::bigint as concepts,
    sum(per_passage.supported) / nullif(sum(per_passage.with_evidence), 0) as evidence_coverage,
    coalesce(sum(per_passage.garbage), 0)::bigint as garbage_names,
    avg(per_passage.concepts) as concepts_per_passage,
    percentile_cont(0.1) within group (order by per_passage.concepts) as concepts_p10,
    percentile_cont(0.9) within group (order by per_passage.concepts) as concepts_p90
from per_passage;

-- name: distribution
-- The share of each concept type in this version, beside that of the rows of llm_v2.
with counted as (
    select
        passage_concepts.extractor_version,
        coalesce(passage_concepts.concept_type, '(none)') as label,
        count(*) as concepts
    from passage_concepts
    where passage_concepts.extractor_version in (%(extractor_version)s, 'llm_v2')
    group by passage_concepts.extractor_version, coalesce(passage_concepts.concept_type, '(none)')
)

select
    counted.label,
    coalesce(sum(counted.concepts) filter (where counted.extractor_version = %(extractor_version)s), 0)::bigint as ours,
    coalesce(sum(counted.concepts) filter (where counted.extractor_version = 'llm_v2'), 0)::bigint as theirs
from counted
group by counted.label
order by ours desc, counted.label;

-- name: coverage
select
    count(*) as all_targets,
    count(*) filter (where existing.passage_id is not null) as targets_with_rows
from passages
left join (
    select distinct passage_concepts.passage_id
    from passage_concepts
    where passage_concepts.extractor_version = %(extractor_version)s
) as existing on passages.passage_id = existing.passage_id;

-- name: count_records
select
    'passage_concepts' as table_name,
    count(*) as records
from passage_concepts
where passage_concepts.extractor_version = %(extractor_version)s;

-- name: targets_with_records
select distinct passage_concepts.passage_id::text as target_id
from passage_concepts
where passage_concepts.extractor_version = %(extractor_version)s
order by target_id
limit %(step)s;

-- name: versions
select
    coalesce(passage_concepts.extractor_version, '(none)') as extractor_version,
    count(distinct passage_concepts.passage_id) as targets,
    count(*) as records
from passage_concepts
group by passage_concepts.extractor_version
order by records desc;

-- name: per_target
-- How many passages of a run got how many concepts; grouped as in `measure`.
with found as (
    select
        generations.target_id,
        true as is_answered,
        0 as concept
    from backfill.generations
    inner join backfill.slices on generations.slice_id = slices.slice_id
    where slices.run_id = %(run_id)s and generations.state in ('written', 'empty')
    union all
    select
        passage_concepts.passage_id::text as target_id,
        false as is_answered,
        1 as concept
    from passage_concepts
    where passage_concepts.extractor_version = %(extractor_version)s
),

per_passage as (
    select sum(found.concept) as concepts
    from found
    group by found.target_id
    having bool_or(found.is_answered)
)

select
    per_passage.concepts::text as label,
    count(*) as targets
from per_passage
group by per_passage.concepts
order by per_passage.concepts;

-- name: sample
-- A few passages of a run with what was found in each, and what llm_v2 had found.
with chosen as (
    select generations.target_id
    from backfill.generations
    inner join backfill.slices on generations.slice_id = slices.slice_id
    where slices.run_id = %(run_id)s and generations.state = 'written'
    order by generations.doc_id
    limit 20
)

select
    chosen.target_id,
    passages.passage_text as content,
    (
        select jsonb_agg(
            jsonb_build_object(
                'name', passage_concepts.concept_name,
                'type', passage_concepts.concept_type,
                'confidence', passage_concepts.confidence,
                'support', passage_concepts.evidence -> 'support'
            )
            order by passage_concepts.confidence desc, passage_concepts.concept_name asc
        )
        from passage_concepts
        where
            passage_concepts.passage_id = passages.passage_id
            and passage_concepts.extractor_version = %(extractor_version)s
    ) as found,
    (
        select string_agg(distinct passage_concepts.concept_name, ', ')
        from passage_concepts
        where
            passage_concepts.passage_id = passages.passage_id
            and passage_concepts.extractor_version = 'llm_v2'
    ) as earlier
from chosen
inner join passages on chosen.target_id = passages.passage_id::text
order by chosen.target_id;

-- name: export
select
    passage_concepts.passage_id,
    passage_concepts.concept_name,
    passage_concepts.concept_type,
    passage_concepts.aliases,
    passage_concepts.confidence,
    passage_concepts.extractor_model,
    passage_concepts.extractor_version,
    passage_concepts.evidence,
    passage_concepts.created_at
from passage_concepts
where passage_concepts.extractor_version = %(extractor_version)s;

-- name: export_best
-- One row per passage and concept, of the version that backfill.preferences prefers.
select
    best.passage_id,
    best.concept_name,
    best.concept_type,
    best.aliases,
    best.confidence,
    best.extractor_model,
    best.extractor_version,
    best.evidence,
    best.created_at
from backfill.passage_concepts_best as best;
