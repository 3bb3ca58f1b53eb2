-- Identifiers are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: found
-- The answered targets of a run and the rows of its version, read back from the table. Grouped, not joined: the table
-- has just been filled, and without statistics a join of this size may be planned as a loop in a loop.
select
    generations.target_id,
    true as is_answered,
    0 as is_row{nothing}
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where slices.run_id = %(run_id)s and generations.state in ('written', 'empty')
union all
select
    {target_id}::text as target_id,
    false as is_answered,
    1 as is_row{flags}
from {target}
where {ours}

-- name: measure
-- What the rows of one run hold: how many there are, and the share of them for which each flag holds.
with found as ({found}),

per_target as (
    select
        sum(found.is_row) as row_count{sums}
    from found
    group by found.target_id
    having bool_or(found.is_answered)
)

select
    coalesce(sum(per_target.row_count), 0)::bigint as rows,
    avg(per_target.row_count) as rows_per_target,
    percentile_cont(0.1) within group (order by per_target.row_count) as rows_p10,
    percentile_cont(0.9) within group (order by per_target.row_count) as rows_p90,
    avg((per_target.row_count = 0)::int) as targets_without_rows{shares}
from per_target

-- name: nothing
, null::int as {name}

-- name: flag
, {flag} as {name}

-- name: sum
, sum(found.{name}) as {name}

-- name: share
, sum(per_target.{name})::float / nullif(sum(per_target.row_count), 0) as {name}

-- name: per_target
-- How many targets of a run got how many rows.
with found as ({found}),

per_target as (
    select sum(found.is_row) as row_count
    from found
    group by found.target_id
    having bool_or(found.is_answered)
)

select
    per_target.row_count::text as label,
    count(*) as targets
from per_target
group by per_target.row_count
order by per_target.row_count

-- name: is_null
({value} is null)::int

-- name: has_evidence
-- A row without evidence is one of the rows: it counts as without.
(case
    when jsonb_typeof(to_jsonb({value}) -> 'support') = 'array'
        then jsonb_array_length(to_jsonb({value}) -> 'support') > 0
    else false
end)::int

-- name: is_real
(backfill.embedding_flaw(to_jsonb({value}), {dimensions}) is null)::int

-- name: is_long
(length({value}::text) > 60)::int

-- name: other_version
-- The version that has most rows beside ours: what ours is compared with.
select {version}::text as version
from {target}
where {all_of_ours} and {version} <> %(extractor_version)s
group by {version}
order by count(*) desc, version
limit 1

-- name: distribution
-- How a closed vocabulary's words are spread in this version, and in another one.
select
    coalesce({value}::text, '(none)') as label,
    count(*) filter (where {version}::text = %(extractor_version)s) as ours,
    count(*) filter (where {version}::text = %(other)s) as theirs
from {target}
where {all_of_ours} and {version}::text in (%(extractor_version)s, %(other)s)
group by {value}::text
order by ours desc, label

-- name: distribution_in_place
select
    coalesce({value}::text, '(none)') as label,
    count(*) as ours,
    0 as theirs
from {target}
group by {value}::text
order by ours desc, label

-- name: sample
-- A few targets of a run.
select generations.target_id
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where slices.run_id = %(run_id)s and generations.state = 'written'
order by generations.doc_id
limit 20

-- name: rows_of
-- All that some targets have of one version, whatever the columns.
select
    {target_id}::text as target_id,
    {row} as found
from {target}
where {target_id} = any(%(target_ids)s) and {ours}

-- name: whole_row
to_jsonb({target})

-- name: keys_of
-- What another version had found of some targets.
select
    {target_id}::text as target_id,
    string_agg(distinct {value}::text, ', ') as words
from {target}
where {target_id} = any(%(target_ids)s) and {version}::text = %(other)s
group by {target_id}::text

-- name: verify
-- How every row stands: a real embedding, or why it has none.
with looked_at as (
    select
        source.is_blank,
        to_jsonb({value}) as embedding,
        backfill.embedding_flaw(to_jsonb({value}), {dimensions}) as flaw
    from {target}
    inner join ({source}) as source on {target_id} = source.key
),

judged as (
    select
        looked_at.flaw is null as is_good,
        case
            when
                looked_at.flaw is null
                and abs(backfill.embedding_length(looked_at.embedding) - 1) <= 1e-3
                then 'real, ' || {dimensions} || ' dimensions, unit length'
            when looked_at.flaw is null then 'real, ' || {dimensions} || ' dimensions, not of unit length'
            when looked_at.is_blank then looked_at.flaw || ', and no text to ask about'
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
order by judged.is_good desc, targets desc, judged.finding
