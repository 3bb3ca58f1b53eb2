-- name: count_open
-- Rows of the current run without an end; none is left when every slice is through.
select count(*) as amount from current_generations
where current_generations.state = 'planned';

-- name: counters
select
    documents_counters.counter,
    documents_counters.amount
from documents_counters;

-- name: ends
select
    current_generations.source_csv,
    count(*) as row_count,
    sum(current_generations.state = 'written') as written,
    sum(current_generations.state = 'bad') as bad,
    sum(current_generations.state = 'skipped') as skipped,
    sum(current_generations.state = 'planned') as planned
from current_generations
group by current_generations.source_csv
order by min(current_generations.source_id);

-- name: reasons
select
    current_generations.stage,
    current_generations.reason,
    count(*) as row_count
from current_generations
where current_generations.reason is not null
group by current_generations.stage, current_generations.reason
order by min(current_generations.source_id), current_generations.reason;

-- name: optional_inputs
select
    side_rows.source_csv,
    count(*) as row_count
from side_rows
group by side_rows.source_csv
order by side_rows.source_csv;

-- name: problems
select
    documents_consistency_report.problem,
    count(*) as row_count
from documents_consistency_report
group by documents_consistency_report.problem
order by documents_consistency_report.problem;

-- name: bad_generations
select * from bad_generations
order by bad_generations.source_csv, bad_generations.row_index;

-- name: documents_latest_report
select * from documents_latest_report
order by documents_latest_report.stage, documents_latest_report.logical_key_id;

-- name: documents_consistency_report
select * from documents_consistency_report
order by documents_consistency_report.doc_dir, documents_consistency_report.problem;

-- name: documents_counters
select * from documents_counters;

-- name: all_directories
select
    documents.doc_id,
    documents.doc_dir,
    (
        documents.source_csv = 'link_generation_results.csv'
        or json_extract(documents.metadata, '$.prompt_file') is not null
    ) as expects_prompt,
    (
        documents.generated_at is null
        and json_extract(documents.metadata, '$.timestamp') is not null
    ) as is_undated
from documents
order by documents.doc_id;

-- name: forget_checks
delete from directory_checks;

-- name: insert_check
insert into directory_checks (doc_dir, doc_id, problem) values (:doc_dir, :doc_id, :problem)
on conflict do nothing;
