-- Identifiers are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: in_scope
-- Every target that has a text to ask about, with its question.
create temporary table in_scope on commit drop as
select
    candidates.target_id,
    backfill.content_hash(candidates.content) as content_hash
from ({candidates}) as candidates
where
    candidates.target_id is not null
    and not candidates.is_blank
    and not exists (
        select 1 from backfill.forgotten
        where forgotten.backfill = %(backfill)s and forgotten.target_id = candidates.target_id
    )

-- name: count_questions
select count(distinct in_scope.content_hash) as questions from in_scope

-- name: some
-- Targets at random, the same for one seed; those first that were asked already, whatever came of it.
select in_scope.target_id
from in_scope
left join backfill.generations
    on generations.doc_id = backfill.doc_id(
        %(backfill)s, %(extractor_version)s, in_scope.target_id, in_scope.content_hash
    )
left join backfill.questions
    on questions.question_id = backfill.question_id(%(backfill)s, %(extractor_version)s, in_scope.content_hash)
where generations.state is distinct from 'planned'
group by in_scope.target_id
order by
    bool_or(questions.question_id is not null or coalesce(generations.state in ('written', 'empty', 'bad'), false)) desc,
    md5(concat(%(seed)s::text, in_scope.target_id))
limit %(most)s

-- name: doubtful
-- Targets that were asked, with the most doubtful answers first: bad ones, rows whose quotes stand nowhere, answers
-- that were mended, then the least sure.
select in_scope.target_id
from in_scope
inner join backfill.generations
    on generations.doc_id = backfill.doc_id(
        %(backfill)s, %(extractor_version)s, in_scope.target_id, in_scope.content_hash
    )
left join ({rows}) as found on in_scope.target_id = found.target_id
where generations.state in ('written', 'empty', 'bad')
group by in_scope.target_id
order by
    max(
        case
            when generations.state = 'bad' then 4
            when found.is_unproven then 3
            when generations.reason is not null then 2
            else 1 - found.confidence
        end
    ) desc nulls last,
    md5(concat(%(seed)s::text, in_scope.target_id))
limit %(most)s

-- name: rows_in_doubt
select
    {target_id}::text as target_id,
    {is_unproven} as is_unproven,
    {is_approximate} as is_approximate,
    {confidence} as confidence
from {target}
where {ours}
group by {target_id}

-- name: no_rows_in_doubt
select null::text as target_id, false as is_unproven, false as is_approximate, null::real as confidence where false

-- name: csv_in_doubt
-- Of a CSV's row, the model itself may say so.
select
    target_id,
    false as is_unproven,
    false as is_approximate,
    min(case when answer ->> 'status' = 'HUMAN_REVIEW' then 0 end) as confidence
from {target}
where {ours}
group by target_id

-- name: some_without_evidence
bool_or(case
    when jsonb_typeof(to_jsonb({value}) -> 'support') = 'array'
        then jsonb_array_length(to_jsonb({value}) -> 'support') = 0
    else true
end or coalesce(to_jsonb({value}) #>> '{{quality,notes}}', '') like '%%not found%%')

-- name: some_approximate
bool_or(coalesce(to_jsonb({value}) #>> '{{quality,notes}}', '') like '%%approximate%%')

-- name: least
min({value})
