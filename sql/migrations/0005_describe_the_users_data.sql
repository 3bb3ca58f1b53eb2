-- What the site file said of the backfill when the run began: a worker with another one refuses.
alter table backfill.runs
add column site jsonb not null default '{}';

-- CSV files that came in, each with its own rows, whatever columns they have; `asked_as` is what the site said then of
-- the question that a row makes.
create table backfill.csv_files (
    backfill text not null,
    file text not null,
    header text[] not null,
    delimiter text not null,
    encoding text not null,
    has_bom boolean not null,
    line_end text not null,
    asked_as text not null,
    brought_in_at timestamptz not null default now(),
    primary key (backfill, file)
);

-- Values are texts, so that they go out as they came in. `given` is what the file already had in columns that we
-- fill, `kept` what of it a person had put there.
create table backfill.csv_rows (
    backfill text not null,
    file text not null,
    row_number bigint not null,
    cells text[] not null,
    target_id text not null,
    content text not null,
    is_blank boolean not null,
    lengths integer[],
    label text,
    given jsonb,
    kept jsonb,
    is_done boolean not null default false,
    primary key (backfill, file, row_number),
    foreign key (backfill, file) references backfill.csv_files (backfill, file) on delete cascade
);

create index csv_rows_by_target on backfill.csv_rows (target_id, backfill);

-- The answers that go into their columns, one per question: rows of one id may ask different ones in two files;
-- names that begin with _ are kept, and not put out.
create table backfill.csv_answers (
    backfill text not null,
    extractor_version text not null,
    target_id text not null,
    doc_id uuid primary key,
    answer jsonb not null,
    extractor_model text,
    created_at timestamptz not null default now()
);

create index csv_answers_by_target on backfill.csv_answers (backfill, extractor_version, target_id);

-- What was ever put out, by its hash: what comes back in a file and is not here, a person has written.
create table backfill.csv_shown (
    backfill text not null,
    target_id text not null,
    column_name text not null,
    value_hash uuid not null,
    primary key (backfill, target_id, column_name, value_hash)
);

-- The views are now made from the declarations, for every backfill; those that exist are left alone.
drop function backfill.create_views();
