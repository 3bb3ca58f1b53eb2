-- Identifiers are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: choose
-- Targets of a version whose rows stand and that nobody has judged: some drawn from all, then the most doubtful. Where
-- too few are doubtful, more are drawn.
with standing as materialized (
    select distinct on (projections.target_id)
        projections.target_id,
        array_remove(array[
            case when found.is_unproven then 'missing quote' end,
            case when disagreeing.target_id is not null then 'versions disagree' end,
            case when generations.reason is not null then generations.reason || ' answer' end,
            case when found.confidence < {low} then 'low confidence' end,
            case when found.is_approximate then 'approximate quote' end
        ], null) as doubts
    from backfill.projections
    left join backfill.generations on projections.doc_id = generations.doc_id
    left join ({rows}) as found on projections.target_id = found.target_id
    left join ({disagreeing}) as disagreeing on projections.target_id = disagreeing.target_id
    where
        projections.backfill = %(backfill)s
        and projections.extractor_version = %(extractor_version)s
        and projections.records > 0
        and not exists (
            select 1 from backfill.reviews
            where
                reviews.backfill = %(backfill)s
                and reviews.extractor_version = %(extractor_version)s
                and reviews.target_id = projections.target_id
                and reviews.verdict is not null
        )
    order by projections.target_id, projections.projected_at desc
),

drawn as (
    select
        standing.target_id,
        standing.doubts,
        row_number() over (order by md5(concat(%(seed)s::text, standing.target_id))) as place,
        greatest(
            %(at_random)s, %(most)s - count(*) filter (where standing.doubts <> '{{}}') over ()
        ) as at_random
    from standing
)

select
    drawn.target_id,
    case when drawn.place <= drawn.at_random then array['random'] else '{{}}' end || drawn.doubts as chosen
from drawn
where drawn.place <= drawn.at_random or drawn.doubts <> '{{}}'
order by drawn.place > drawn.at_random, cardinality(drawn.doubts) desc, drawn.place
limit %(most)s

-- name: disagreeing
-- Targets of which another version has rows of other names.
select ours.target_id
from (
    select {target_id}::text as target_id, array_agg(distinct {key}::text) as names
    from {target}
    where {ours}
    group by {target_id}
) as ours
inner join (
    select {target_id}::text as target_id, array_agg(distinct {key}::text) as names
    from {target}
    where {all_of_ours} and {version}::text = %(other)s
    group by {target_id}
) as theirs on ours.target_id = theirs.target_id
where ours.names <> theirs.names

-- name: none_disagree
select null::text as target_id where false

-- name: correct
-- One row as it was reviewed, with a person's values: whoever writes the version's rows again finds it edited.
update {target}
set ({columns}) = (
    select {columns} from jsonb_populate_record(null::{target}, to_jsonb({table_name}) || %(corrected)s::jsonb)
)
where
    {target_id} = any(%(target_ids)s)
    and {ours}
    and to_jsonb({table_name}) || %(found)s::jsonb = to_jsonb({table_name})

-- name: correct_csv
update {target}
set answer = {table_name}.answer || %(corrected)s::jsonb
where
    {target_id} = any(%(target_ids)s)
    and {ours}
    and {table_name}.answer || %(found)s::jsonb = {table_name}.answer
