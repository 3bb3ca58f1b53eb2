-- Identifiers and the site owner's own conditions are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: settings_for_text
-- A value must read the same in every session, or another one would be another question.
select
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO, YMD', true),
    set_config('IntervalStyle', 'iso_8601', true),
    set_config('extra_float_digits', '1', true),
    set_config('bytea_output', 'hex', true);

-- name: source_of_table
-- Every row in scope; the condition sees the table's columns by their own names.
select
    {id} as key,
    {id}::text as target_id,
    {content} as content,
    {is_blank} as is_blank,
    {lengths} as lengths,
    {label} as label,
    {is_done} as is_done,
    coalesce({condition}, false) as in_scope
from {table}
where {scope}

-- name: source_of_csv
-- The rows of one file, or of all that came in under today's template. Rows of one id and one question are one target:
-- done when all of them are.
select
    csv_rows.target_id as key,
    csv_rows.target_id,
    csv_rows.content,
    bool_and(csv_rows.is_blank) as is_blank,
    min(csv_rows.lengths) as lengths,
    min(csv_rows.label) as label,
    bool_and(csv_rows.is_done) as is_done,
    true as in_scope
from backfill.csv_rows
inner join backfill.csv_files on csv_rows.backfill = csv_files.backfill and csv_rows.file = csv_files.file
where
    csv_rows.backfill = {backfill}
    and csv_files.asked_as = {asked_as}
    and (%(csv_file)s::text is null or csv_rows.file = %(csv_file)s)
group by csv_rows.target_id, csv_rows.content

-- name: candidates
-- Every row in scope, and whether it needs no answer of this extractor version: what another one filled in does.
select
    source.target_id,
    source.content,
    source.is_blank,
    coalesce(source.is_done, false) and not coalesce(last.is_of_another, false) as has_rows
from ({source}) as source
left join (
    select distinct on (projections.target_id)
        projections.target_id,
        projections.extractor_version <> %(extractor_version)s as is_of_another
    from backfill.projections
    where projections.backfill = %(backfill)s and projections.records > 0
    order by projections.target_id, projections.projected_at desc
) as last on source.target_id = last.target_id

-- name: candidates_beside_rows
select
    source.target_id,
    source.content,
    source.is_blank,
    coalesce(source.is_done, false) or existing.key is not null as has_rows
from ({source}) as source
left join (select distinct {existing_key} as key from {target} where {ours}) as existing on {source_key} = existing.key

-- name: candidates_looked_up
-- The same of few rows, each looked up by itself.
select
    source.target_id,
    source.content,
    source.is_blank,
    coalesce(source.is_done, false)
    or exists(select 1 from {target} where {ours} and {existing_key} = {source_key}) as has_rows
from ({source}) as source

-- name: changed_since
({column} is null or {column} >= %(since)s)

-- name: texts
-- The parameter is an array literal without a type, so that it fits the column's.
select
    source.target_id,
    source.content,
    source.lengths
from ({source}) as source
where source.key = any(%(target_ids)s)

-- name: labels
select
    source.target_id,
    source.label
from ({source}) as source
where source.key = any(%(target_ids)s)

-- name: copy_records
copy {target} ({columns}) from stdin

-- name: stage_records
-- Columns of the same types, so that each value goes through its column's own input.
create temporary table if not exists staged on commit drop as select {columns} from {target} where false

-- name: forget_staged
delete from staged

-- name: copy_staged
copy staged ({columns}) from stdin

-- name: insert_staged
insert into {target} ({columns}) select {columns} from staged

-- name: delete_records
delete from {target} where {target_id} = any(%(target_ids)s) and {ours}

-- name: known_by
-- What some targets ask now, and what people call them; an id that is none of the column's type is nobody's.
select
    source.target_id,
    source.label,
    backfill.content_hash(source.content) as content_hash
from ({source}) as source
where source.target_id = any(%(target_ids)s::text[])

-- name: asked_by_others
select distinct backfill.content_hash(source.content) as content_hash
from ({source}) as source
where
    backfill.content_hash(source.content) = any(%(content_hashes)s::uuid[])
    and not exists (
        select 1 from backfill.forgotten
        where forgotten.backfill = %(backfill)s and forgotten.target_id = source.target_id
    )

-- name: fingerprints
-- What our columns hold for each target now, as one number, whatever the order of its rows.
select
    {target_id}::text as target_id,
    bit_xor({hashed}) as fingerprint,
    count(*) as records
from {target}
where {target_id} = any(%(target_ids)s) and ({ours}) is true
group by {target_id}

-- name: older_fingerprints
-- The same for every target that is in `older`, over the columns of one reading.
select
    {reading} as reading,
    {target_id}::text as target_id,
    bit_xor({hashed}) as fingerprint
from {target}
where {ours} and {target_id}::text in (select older.target_id from older)
group by {target_id}

-- name: hashed_text
hashtextextended(row({columns})::text, 0)

-- name: hashed_values
hash_record_extended(row({columns}), 0)

-- name: as_bytes
-- Equal to the byte, whatever a collation takes for equal.
{value}::text collate "C"

-- name: shown
-- What the same columns hold, for a person to read.
select
    {target_id}::text as target_id,
    to_jsonb(row({columns})) as found
from {target}
where {target_id} = any(%(target_ids)s) and {ours}
order by 1, 2

-- name: forget_csv_answers
delete from backfill.csv_answers where csv_answers.doc_id = any(%(doc_ids)s)

-- name: plan_rereads
-- The kept answers of targets whose text is still what was asked, in the order of their blocks. One that was taken back
-- counts where a person had corrected its rows: they stand.
insert into backfill.rereads (
    backfill, extractor_version, place, doc_id, target_id, content_hash, question_id, state, attempts
)
select
    %(backfill)s,
    %(extractor_version)s,
    row_number() over (order by questions.block_id, asked.doc_id),
    asked.doc_id,
    asked.target_id,
    asked.content_hash,
    questions.question_id,
    generations.state,
    coalesce(generations.attempts, 0)
from (
    select distinct
        hashed.target_id,
        hashed.content_hash,
        backfill.doc_id(
            %(backfill)s, %(extractor_version)s, hashed.target_id, hashed.content_hash
        ) as doc_id
    from (
        select
            source.target_id,
            backfill.content_hash(source.content) as content_hash
        from ({source}) as source
        where source.target_id is not null
    ) as hashed
) as asked
inner join backfill.questions
    on
        questions.question_id
        = backfill.question_id(%(backfill)s, %(extractor_version)s, asked.content_hash)
left join backfill.generations on asked.doc_id = generations.doc_id
where
    questions.block_id is not null
    and case
        when %(only_edited)s then generations.reason = 'edited'
        when generations.doc_id is null then exists (
            select 1 from backfill.projections
            where
                projections.target_id = asked.target_id
                and projections.extractor_version = %(extractor_version)s
                and projections.backfill = %(backfill)s
        )
        else generations.state in ('written', 'empty', 'bad') or generations.reason = 'edited'
    end

-- name: count_records
select count(*) as records from {target} where {ours}

-- name: targets_with_records
-- But those whose rows a person corrected: they are left.
select distinct {target_id}::text as target_id
from {target}
where
    {ours}
    and not exists (
        select 1 from backfill.projections
        where
            projections.target_id = {target_id}::text
            and projections.backfill = %(backfill)s
            and projections.extractor_version = %(extractor_version)s
    )
limit %(step)s

-- name: others_among
-- Of some targets, those of which rows stand that we did not write.
select distinct {target_id}::text as target_id
from {target}
where
    {target_id} = any(%(target_ids)s)
    and ({ours}) is true
    and not exists (
        select 1 from backfill.projections
        where
            projections.target_id = {target_id}::text
            and projections.backfill = %(backfill)s
            and projections.extractor_version = %(extractor_version)s
    )

-- name: versions
select
    coalesce({version}::text, '(none)') as extractor_version,
    count(distinct {target_id}) as targets,
    count(*) as records
from {target}
where {all_of_ours}
group by {version}
order by records desc

-- name: export
select {columns} from {target} where {ours}

-- name: export_in_place
select {columns} from {target} where {is_done}

-- name: export_best
select best.* from {best} as best

-- name: coverage
-- A target that a person asked to be forgotten lacks nothing.
select
    count(*) as all_targets,
    count(*) filter (where candidates.has_rows) as targets_with_rows
from ({candidates}) as candidates
where not exists (
    select 1 from backfill.forgotten
    where forgotten.backfill = %(backfill)s and forgotten.target_id = candidates.target_id
)

-- name: how_targets_stand
-- Whether every row in scope has what it should, or why not.
select
    judged.is_good,
    judged.finding,
    count(*) as targets
from (
    select
        candidates.has_rows or coalesce(generations.state = 'empty', false) as is_good,
        case
            when candidates.has_rows then 'rows stand'
            when forgotten.target_id is not null then 'forgotten on request'
            when candidates.is_blank then 'no text to ask about'
            when generations.state is null then 'not asked'
            when generations.state = 'empty' then 'answered, holds nothing'
            when generations.state = 'planned' then 'planned or in flight'
            when generations.state = 'written' then 'written once, but its rows are missing'
            else concat_ws(': ', generations.state, generations.reason)
        end as finding
    from ({candidates}) as candidates
    left join backfill.generations
        on generations.doc_id = backfill.doc_id(
            %(backfill)s, %(extractor_version)s, candidates.target_id, backfill.content_hash(candidates.content)
        )
    left join backfill.forgotten
        on forgotten.backfill = %(backfill)s and forgotten.target_id = candidates.target_id
) as judged
group by judged.is_good, judged.finding
order by judged.is_good desc, targets desc, judged.finding

-- name: last_target
select max(candidates.target_id collate "C") as target_id from ({candidates}) as candidates

-- name: doubled_ids
-- How many ids stand in more than one row.
select count(*) as ids
from (select {id} from {table} where {id} is not null group by {id} having count(*) > 1) as doubled

-- name: any_row
select exists(select 1 from ({source}) as source) as present

-- name: try_condition
-- Asks nothing of the table, but lets Postgres read the condition.
select 1 from {table} where {condition} limit 0

-- name: try_id
-- Reads one id as it would be written.
select source.target_id::{type} as target_id from ({source}) as source limit 1

-- name: try_text
-- Reads one row as it would be asked.
select source.* from ({source}) as source limit 1

-- name: picked
-- Some rows as they are: those of some ids, or else a few that have a text, always the same ones.
select
    source.target_id,
    source.content,
    source.lengths,
    source.label,
    source.is_blank
from ({source}) as source
where
    source.target_id is not null
    and case
        when %(target_ids)s::text[] is null then not source.is_blank
        else source.target_id = any(%(target_ids)s::text[])
    end
    and not exists (
        select 1 from backfill.forgotten
        where forgotten.backfill = %(backfill)s and forgotten.target_id = source.target_id
    )
order by md5(source.target_id), source.content
limit %(most)s

-- name: some_ids
-- Ids of rows in scope.
select source.target_id from ({source}) as source where source.target_id is not null limit %(most)s

-- name: count_some
select count(*) as rows from (select 1 from ({source}) as source limit %(most)s) as counted

-- name: cell
-- One column's value in a text; null is empty.
coalesce({column}::text, '')

-- name: list_cell
coalesce(array_to_string({column}, ', '), '')

-- name: is_blank
-- Nothing in it that anybody could see: core/unseen.py says what is seen.
({cells}) !~ {seen}

-- name: length
char_length({cell})

-- name: of_version
{version} = %(extractor_version)s

-- name: of_backfill
csv_answers.backfill = {backfill}

-- name: of_backfill_and_version
csv_answers.backfill = {backfill} and csv_answers.extractor_version = %(extractor_version)s

-- name: as_text
{value}::text

-- name: csv_value
csv_answers.answer ->> {key}

-- name: filled
{column} is not null

-- name: speak_at_once
-- Deferred constraints speak at each statement, while it can still be told which row they are about.
set constraints all immediate
