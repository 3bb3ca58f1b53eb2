-- name: select_slice
select
    source_rows.*,
    parents.task_id as parent_task_id,
    parents.source_csv as parent_csv,
    parent_documents.doc_id as parent_doc_id,
    (
        select side_rows.score
        from side_rows
        where
            source_rows.stage = 'evaluation'
            and side_rows.source_csv = 'parsed_scores.csv'
            and side_rows.task_id = source_rows.task_id
            and side_rows.score <> ''
        order by side_rows.row_index
        limit 1
    ) as score,
    (
        select draft.row_key || ' of ' || draft.source_csv
        from source_rows as draft
        where
            source_rows.stage = 'essay'
            and draft.stage = 'draft'
            and draft.status = 'success'
            and draft.combo_id = source_rows.combo_id
            and draft.model_id = source_rows.model_id
            and draft.combo_id <> ''
            and draft.model_id <> ''
            and draft.instant is null
            and draft.fault is null
        order by draft.id
        limit 1
    ) as undated_draft
from source_rows
left join source_rows as parents on source_rows.parent_id = parents.id
left join documents as parent_documents
    on
        parent_documents.run_id = :run_id
        and parents.source_csv = parent_documents.source_csv
        and parents.row_key = parent_documents.row_key
where source_rows.slice_id = :slice_id
order by source_rows.id;

-- name: insert_document
insert into documents (
    doc_id, logical_key_id, stage, task_id, parent_doc_id, template_id, model_id, run_id, doc_dir, source_csv,
    row_key, combo_id, status, generated_at, raw_bytes, parsed_bytes, prompt_bytes, metadata
)
values (
    :doc_id, :logical_key_id, :stage, :task_id, :parent_doc_id, :template_id, :model_id, :run_id, :doc_dir, :source_csv,
    :row_key, :combo_id, :status, :generated_at, :raw_bytes, :parsed_bytes, :prompt_bytes, :metadata
)
on conflict do nothing;

-- name: insert_text
insert into documents_text (doc_id, parsed) values (:doc_id, :parsed);

-- name: record_end
insert into generations (run_id, source_csv, row_key, state, reason, detail, doc_id, logical_key_id)
values (:run_id, :source_csv, :row_key, :state, :reason, :detail, :doc_id, :logical_key_id)
on conflict (run_id, source_csv, row_key) do update
set
    state = excluded.state,
    reason = excluded.reason,
    detail = excluded.detail,
    doc_id = excluded.doc_id,
    logical_key_id = excluded.logical_key_id;

-- name: known_directory
select 1 from documents
where documents.doc_id = :doc_id and documents.doc_dir = :doc_dir;

-- name: known_parent
select 1
from documents
where documents.doc_id = :parent_doc_id;

-- name: add_run
insert into runs (run_id, is_current) values (:run_id, 0) on conflict (run_id) do nothing;

-- name: search
select
    documents.doc_id,
    documents.stage,
    documents.task_id,
    snippet(documents_text, 1, '[', ']', ' … ', 12) as passage
from documents_text
inner join documents on documents_text.doc_id = documents.doc_id
where documents_text match :words
order by documents_text.rank, documents.doc_id
limit :most;
