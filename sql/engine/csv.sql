-- name: forget_file
delete from backfill.csv_files
where csv_files.backfill = %(backfill)s and csv_files.file = %(file)s;

-- name: record_file
insert into backfill.csv_files (
    backfill, file, header, delimiter, encoding, has_bom, line_end, quotes_all, asked_as
)
values (
    %(backfill)s,
    %(file)s,
    %(header)s,
    %(delimiter)s,
    %(encoding)s,
    %(has_bom)s,
    %(line_end)s,
    %(quotes_all)s,
    %(asked_as)s
);

-- name: asked_otherwise
-- How many files in scope came in under another template, and one of them.
select
    count(*) as files,
    min(csv_files.file) as example
from backfill.csv_files
where
    csv_files.backfill = %(backfill)s
    and csv_files.asked_as <> %(asked_as)s
    and (%(file)s::text is null or csv_files.file = %(file)s);

-- name: copy_rows
-- noqa: disable=all
copy backfill.csv_rows (
    backfill, file, row_number, cells, target_id, content, is_blank, lengths, label, given
) from stdin;
-- noqa: enable=all

-- name: keep_corrections
-- Of what the file had in our columns, a person has written what we have never put out. A row that says itself that it
-- has no answer has nothing to keep of that.
with changed as (
    select
        csv_rows.row_number,
        jsonb_object_agg(cell.key, cell.value) as kept
    from backfill.csv_rows
    cross join lateral jsonb_each_text(csv_rows.given) as cell (key, value)
    where
        csv_rows.backfill = %(backfill)s
        and csv_rows.file = %(file)s
        and cell.value <> ''
        and (
            cell.key not in (%(status)s, %(message)s)
            or coalesce(csv_rows.given ->> %(status)s, '') <> all(%(unanswered)s)
        )
        and not exists (
            select 1 from backfill.csv_shown
            where
                csv_shown.backfill = csv_rows.backfill
                and csv_shown.target_id = csv_rows.target_id
                and csv_shown.column_name = cell.key
                and csv_shown.value_hash = md5(cell.value)::uuid
        )
    group by csv_rows.row_number
)

update backfill.csv_rows
set
    kept = changed.kept,
    is_done = coalesce(changed.kept ->> %(status)s, '') = any(%(answered)s)
from changed
where
    csv_rows.backfill = %(backfill)s
    and csv_rows.file = %(file)s
    and csv_rows.row_number = changed.row_number;

-- name: files
-- The files whose rows go out, in the order in which they came in.
select
    csv_files.file,
    csv_files.header,
    csv_files.delimiter,
    csv_files.encoding,
    csv_files.has_bom,
    csv_files.line_end,
    csv_files.quotes_all
from backfill.csv_files
where
    csv_files.backfill = %(backfill)s
    and (%(file)s::text is null or csv_files.file = %(file)s)
order by csv_files.brought_in_at, csv_files.file;

-- name: rows_out
-- Every row of a file with the end of its question, its answer, and what a person has written into our columns.
select
    csv_rows.target_id,
    csv_rows.cells,
    csv_rows.kept,
    csv_rows.is_done,
    generations.state,
    generations.reason,
    generations.detail,
    csv_answers.answer
from backfill.csv_rows
left join backfill.generations
    on
        generations.doc_id = backfill.doc_id(
            csv_rows.backfill, %(extractor_version)s, csv_rows.target_id, backfill.content_hash(csv_rows.content)
        )
left join backfill.csv_answers
    on
        generations.state = 'written'
        and generations.doc_id = csv_answers.doc_id
where csv_rows.backfill = %(backfill)s and csv_rows.file = %(file)s
order by csv_rows.row_number;

-- name: stage_shown
create temporary table if not exists shown (
    target_id text,
    column_name text,
    value text
) on commit drop;

-- name: forget_staged
delete from shown;

-- name: copy_shown
copy shown (target_id, column_name, value) from stdin;

-- name: record_shown
insert into backfill.csv_shown (backfill, target_id, column_name, value_hash)
select distinct
    %(backfill)s,
    shown.target_id,
    shown.column_name,
    md5(shown.value)::uuid
from shown
on conflict do nothing;

-- name: ids_with_several_questions
-- How many ids stand for more than one question in what came in, and one of them.
with doubled as (
    select csv_rows.target_id
    from backfill.csv_rows
    where csv_rows.backfill = %(backfill)s and (%(file)s::text is null or csv_rows.file = %(file)s)
    group by csv_rows.target_id
    having count(distinct csv_rows.content) > 1
)

select
    count(*) as ids,
    min(doubled.target_id) as example
from doubled;
