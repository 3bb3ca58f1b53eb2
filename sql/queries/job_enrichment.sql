-- name: select_targets
-- Every advert; one with a real embedding is done, whoever wrote it.
select
    jobs_enriched.id::text as target_id,
    jobs_enriched.description as content,
    backfill.embedding_flaw(to_jsonb(jobs_enriched.embedding), 768) is null as has_rows
from jobs_enriched;

-- name: select_texts
select
    jobs_enriched.id::text as target_id,
    jobs_enriched.description as content
from jobs_enriched
where jobs_enriched.id = any(%(target_ids)s);

-- name: stage_records
create temporary table staged (
    job_id text,
    answer jsonb
) on commit drop;

-- name: record_columns
select
    job_id,
    answer
from staged
where false;

-- name: copy_records
-- noqa: disable=all
copy staged (job_id, answer) from stdin with (format binary);
-- noqa: enable=all

-- name: apply_records
-- Our four columns and no other, all of them in one update. jsonb_populate_record casts each value to
-- its column's own type: text, jsonb, an array, a pgvector.
update jobs_enriched
set
    skills = filled.skills,
    seniority = filled.seniority,
    summary = filled.summary,
    embedding = filled.embedding
from staged
cross join lateral jsonb_populate_record(null::jobs_enriched, staged.answer) as filled
where jobs_enriched.id::text = staged.job_id;

-- name: measure
-- What the rows of one run hold, read back from the table.
with answered as (
    select generations.target_id
    from backfill.generations
    inner join backfill.slices on generations.slice_id = slices.slice_id
    where slices.run_id = %(run_id)s and generations.state = 'written'
),

looked_at as (
    select
        to_jsonb(jobs_enriched.skills) as skills,
        to_jsonb(jobs_enriched.embedding) as embedding
    from jobs_enriched
    inner join answered on jobs_enriched.id::text = answered.target_id
)

select
    count(*) as adverts,
    avg((backfill.embedding_flaw(looked_at.embedding, 768) is null)::int) as real_embeddings,
    avg(case when jsonb_typeof(looked_at.skills) = 'array' then jsonb_array_length(looked_at.skills) end)
        as skills_per_advert
from looked_at;

-- name: distribution
select
    coalesce(jobs_enriched.seniority::text, '(none)') as label,
    count(*) as ours,
    0 as theirs
from jobs_enriched
group by jobs_enriched.seniority::text
order by ours desc, label;

-- name: coverage
select
    count(*) as all_targets,
    count(*) filter (
        where backfill.embedding_flaw(to_jsonb(jobs_enriched.embedding), 768) is null
    ) as targets_with_rows
from jobs_enriched;

-- name: verify
-- How every row stands: a real embedding, or why it has none.
with looked_at as (
    select
        jobs_enriched.description,
        to_jsonb(jobs_enriched.embedding) as embedding,
        backfill.embedding_flaw(to_jsonb(jobs_enriched.embedding), 768) as flaw
    from jobs_enriched
),

judged as (
    select
        looked_at.flaw is null as is_good,
        case
            when
                looked_at.flaw is null
                and abs(backfill.embedding_length(looked_at.embedding) - 1) <= 1e-3
                then 'real, 768 dimensions, unit length'
            when looked_at.flaw is null then 'real, 768 dimensions, not of unit length'
            when coalesce(looked_at.description, '') !~ '\S' then looked_at.flaw || ', and no description to ask about'
            else looked_at.flaw
        end as finding
    from looked_at
)

select
    judged.is_good,
    judged.finding,
    count(*) as targets
from judged
group by judged.is_good, judged.finding
order by judged.is_good desc, targets desc, judged.finding;
