-- name: create_runs
-- One row per run_id, in the order in which they were first seen; `is_current` marks the last one started.
create table if not exists runs (
    seq integer primary key,
    run_id text not null unique,
    is_current integer not null
);

-- name: create_documents
-- One row per attempt. Rows are never changed and never deleted.
create table if not exists documents (
    doc_id text primary key,
    logical_key_id text not null,
    stage text not null check (stage in ('draft', 'essay', 'evaluation')),
    task_id text not null,
    parent_doc_id text,
    template_id text not null,
    model_id text not null,
    run_id text not null,
    doc_dir text not null,
    source_csv text not null,
    row_key text not null,
    combo_id text not null,
    status text not null,
    generated_at text,
    raw_bytes integer not null,
    parsed_bytes integer not null,
    prompt_bytes integer,
    metadata text not null,
    unique (run_id, source_csv, row_key)
) without rowid;

-- name: find_documents
-- Fails where another program's table has this name.
select
    documents.doc_id,
    documents.logical_key_id,
    documents.stage,
    documents.task_id,
    documents.parent_doc_id,
    documents.template_id,
    documents.model_id,
    documents.run_id,
    documents.doc_dir,
    documents.source_csv,
    documents.row_key,
    documents.combo_id,
    documents.status,
    documents.generated_at,
    documents.raw_bytes,
    documents.parsed_bytes,
    documents.prompt_bytes,
    documents.metadata
from documents
limit 0;

-- name: create_documents_by_parent
create index if not exists documents_by_parent on documents (parent_doc_id);

-- name: create_documents_by_key
create index if not exists documents_by_key on documents (stage, logical_key_id);

-- name: create_documents_text
-- Full text search over parsed text: select doc_id from documents_text where documents_text match 'word'.
create virtual table if not exists documents_text using fts5 (doc_id unindexed, parsed);

-- name: refuse_document_updates
create trigger if not exists documents_are_never_changed before update on documents
begin
    select raise(abort, 'rows of documents are never changed after insert');
end;

-- name: refuse_document_deletes
create trigger if not exists documents_are_never_deleted before delete on documents
begin
    select raise(abort, 'rows of documents are never deleted');
end;

-- name: create_generations
-- Where each CSV row ended, per run: written, bad or skipped.
create table if not exists generations (
    run_id text not null,
    source_csv text not null,
    row_key text not null,
    state text not null check (state in ('written', 'bad', 'skipped')),
    reason text,
    detail text,
    doc_id text,
    logical_key_id text,
    primary key (run_id, source_csv, row_key)
) without rowid;

-- name: create_source_rows
-- The CSVs as they stood when the current run began. A row_key outlives reordering: it is the
-- task id and a number that tells apart the rows that share it.
create table if not exists source_rows (
    id integer primary key,
    source_csv text not null,
    row_index integer not null,
    row_key text,
    stage text not null,
    task_id text not null,
    combo_id text not null,
    template_id text not null,
    model_id text not null,
    status text not null,
    timestamp text not null,
    instant integer,
    response_file text not null,
    prompt_file text not null,
    essay_task_id text not null,
    generation_task_id text not null,
    cells text not null,
    fault text,
    parent_id integer,
    slice_id text
);

-- name: create_source_rows_by_task
create index if not exists source_rows_by_task on source_rows (source_csv, task_id, row_index);

-- name: create_source_rows_by_key
create index if not exists source_rows_by_key on source_rows (source_csv, row_key);

-- name: create_source_rows_by_slice
create index if not exists source_rows_by_slice on source_rows (slice_id);

-- name: create_source_rows_by_stage_task
create index if not exists source_rows_by_stage_task on source_rows (stage, task_id, instant);

-- name: create_drafts_by_combo
create index if not exists drafts_by_combo on source_rows (combo_id, model_id, instant)
where stage = 'draft' and status = 'success';

-- name: create_side_rows
-- What the optional inputs say about task ids.
create table if not exists side_rows (
    source_csv text not null,
    row_index integer not null,
    fills text,
    task_id text not null,
    combo_id text not null,
    template_id text not null,
    model_id text not null,
    draft_task_id text not null,
    score text not null,
    primary key (source_csv, row_index)
) without rowid;

-- name: create_side_rows_by_task
create index if not exists side_rows_by_task on side_rows (source_csv, task_id, row_index);

-- name: create_repairs
-- Corrections that people made on a list of bad generations; they hold for every later run.
create table if not exists repairs (
    source_csv text not null,
    row_key text not null,
    response_file text not null,
    parent_task_id text not null,
    primary key (source_csv, row_key)
) without rowid;

-- name: create_directory_checks
-- What the last look at the directories found wrong.
create table if not exists directory_checks (
    doc_dir text not null,
    doc_id text,
    problem text not null,
    primary key (doc_dir, problem)
) without rowid;
