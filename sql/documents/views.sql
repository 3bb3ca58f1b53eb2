-- name: create_current_generations
-- Every row of the CSVs with its end in the current run.
create view if not exists current_generations as
select
    runs.run_id,
    source_rows.id as source_id,
    source_rows.source_csv,
    source_rows.row_index,
    source_rows.row_key,
    source_rows.stage,
    source_rows.task_id,
    source_rows.combo_id,
    source_rows.template_id,
    source_rows.model_id,
    source_rows.status,
    source_rows.timestamp,
    source_rows.response_file,
    generations.reason,
    generations.detail,
    generations.doc_id,
    generations.logical_key_id,
    coalesce(generations.state, 'planned') as state
from runs
cross join source_rows
left join generations
    on
        runs.run_id = generations.run_id
        and source_rows.source_csv = generations.source_csv
        and source_rows.row_key = generations.row_key
where runs.is_current = 1;

-- name: drop_bad_generations
-- An index of an earlier version has this list with other columns.
drop view if exists bad_generations;

-- name: create_bad_generations
create view if not exists bad_generations as
select
    current_generations.source_csv,
    current_generations.reason,
    current_generations.row_index,
    current_generations.task_id,
    current_generations.combo_id,
    current_generations.template_id,
    current_generations.model_id,
    current_generations.response_file,
    current_generations.timestamp,
    current_generations.detail,
    current_generations.stage,
    current_generations.status as generation_status,
    current_generations.logical_key_id,
    current_generations.row_key,
    coalesce(repairs.response_file, '') as repair_response_file,
    coalesce(repairs.parent_task_id, '') as repair_parent_task_id
from current_generations
left join repairs
    on
        current_generations.source_csv = repairs.source_csv
        and current_generations.row_key = repairs.row_key
where current_generations.state = 'bad';

-- name: create_documents_latest_report
-- The newest good attempt at each question: the last run first, then the last generation.
create view if not exists documents_latest_report as
select
    ranked.stage,
    ranked.logical_key_id,
    ranked.doc_id,
    ranked.task_id,
    ranked.parent_doc_id,
    ranked.combo_id,
    ranked.template_id,
    ranked.model_id,
    ranked.generated_at,
    ranked.run_id,
    ranked.doc_dir
from (
    select
        documents.*,
        row_number() over (
            partition by documents.stage, documents.logical_key_id
            order by runs.seq desc, documents.generated_at desc, documents.source_csv asc, documents.row_key desc
        ) as place
    from documents
    inner join runs on documents.run_id = runs.run_id
    where documents.status = 'success'
) as ranked
where ranked.place = 1;

-- name: create_documents_consistency_report
create view if not exists documents_consistency_report as
select
    directory_checks.problem,
    directory_checks.doc_dir,
    directory_checks.doc_id,
    documents.stage,
    documents.task_id,
    documents.run_id
from directory_checks
left join documents on directory_checks.doc_id = documents.doc_id;

-- name: create_documents_lineage
-- Each document with what it was made from: an evaluation with its essay and draft.
create view if not exists documents_lineage as
select
    documents.run_id,
    documents.stage,
    documents.doc_id,
    documents.task_id,
    parents.task_id as parent_task_id,
    grandparents.task_id as grandparent_task_id,
    documents.doc_dir,
    case documents.stage
        when 'essay' then documents.doc_id
        when 'evaluation' then case parents.stage when 'essay' then parents.doc_id end
    end as essay_doc_id,
    case documents.stage
        when 'draft' then documents.doc_id
        when 'essay' then parents.doc_id
        else case parents.stage when 'draft' then parents.doc_id else grandparents.doc_id end
    end as draft_doc_id
from documents
left join documents as parents on documents.parent_doc_id = parents.doc_id
left join documents as grandparents on parents.parent_doc_id = grandparents.doc_id;

-- name: create_documents_counters
create view if not exists documents_counters as
select
    'draft_ok' as counter,
    count(*) as amount
from current_generations
where stage = 'draft' and state = 'written' and status = 'success'
union all
select
    'draft_not_successful',
    count(*)
from current_generations
where stage = 'draft' and state = 'written' and status <> 'success'
union all
select
    'draft_missing_response',
    count(*)
from current_generations
where stage = 'draft' and reason like '%_response_file'
union all
select
    'essay_parent_resolved',
    count(*)
from current_generations
where stage = 'essay' and (state = 'written' or reason like '%_response_file')
union all
select
    'essay_unresolved_parent',
    count(*)
from current_generations
where stage = 'essay' and reason = 'unresolved_parent'
union all
select
    'essay_missing_response',
    count(*)
from current_generations
where stage = 'essay' and reason like '%_response_file'
union all
select
    'eval_resolved',
    count(*)
from current_generations
where stage = 'evaluation' and (state = 'written' or reason like '%_response_file')
union all
select
    'eval_unresolved_target',
    count(*)
from current_generations
where stage = 'evaluation' and reason = 'unresolved_target'
union all
select
    'eval_missing_response',
    count(*)
from current_generations
where stage = 'evaluation' and reason like '%_response_file'
union all
select
    'malformed_or_without_task_id',
    count(*)
from current_generations
where reason in ('malformed_row', 'missing_task_id')
union all
select
    'duplicate_rows_skipped',
    count(*)
from current_generations
where state = 'skipped'
union all
select
    'bad_generations',
    count(*)
from current_generations
where state = 'bad';
