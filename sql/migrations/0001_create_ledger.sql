create schema if not exists backfill;

create table backfill.schema_migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
);

-- What an extractor version means: prompt, schema and model under one digest.
create table backfill.versions (
    backfill text not null,
    extractor_version text not null,
    digest text not null,
    model text not null,
    recorded_at timestamptz not null default now(),
    primary key (backfill, extractor_version)
);

-- One row per run a person or a schedule started; a rerun goes on with the unfinished one.
create table backfill.runs (
    run_id uuid primary key default gen_random_uuid(),
    backfill text not null,
    extractor_version text not null,
    kind text not null check (kind in ('pilot', 'full', 'incremental')),
    state text not null default 'running'
    check (state in ('running', 'finished', 'failed', 'stopped', 'refused')),
    max_targets integer,
    estimated_usd numeric,
    approved_usd numeric not null default 0,
    approved_by text,
    flow_run_id text,
    message text,
    started_at timestamptz not null default now(),
    ended_at timestamptz
);

create index runs_by_version on backfill.runs (backfill, extractor_version, started_at);

-- A fixed set of targets that travels as one batch job.
create table backfill.slices (
    slice_id text primary key,
    run_id uuid not null references backfill.runs (run_id),
    backfill text not null,
    extractor_version text not null,
    wave integer not null,
    attempt integer not null default 1,
    state text not null default 'planned'
    check (state in ('planned', 'reserved', 'submitted', 'done', 'failed')),
    request_count integer not null,
    max_output_tokens integer,
    estimated_input_tokens bigint not null,
    estimated_usd numeric not null default 0,
    model text,
    input_digest text,
    display_name text unique,
    input_file text,
    input_file_expires_at timestamptz,
    job_name text unique,
    flow_run_id text,
    error text,
    written integer not null default 0,
    empty integer not null default 0,
    bad integer not null default 0,
    skipped integer not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cost_usd numeric not null default 0,
    measures jsonb not null default '{}',
    planned_at timestamptz not null default now(),
    reserved_at timestamptz,
    submitted_at timestamptz,
    finished_at timestamptz
);

create index slices_by_run on backfill.slices (run_id, state);
create index slices_by_version on backfill.slices (backfill, extractor_version, state);

-- What became of one answer: one row per target and content, even when the answer holds nothing.
create table backfill.generations (
    doc_id uuid primary key,
    backfill text not null,
    extractor_version text not null,
    target_id text not null,
    content_hash uuid not null,
    -- Null where the target could not be asked at all.
    slice_id text references backfill.slices (slice_id),
    state text not null default 'planned'
    check (state in ('planned', 'written', 'empty', 'bad', 'skipped')),
    reason text,
    detail text,
    attempts smallint not null default 0,
    input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    model_version text,
    raw text,
    planned_at timestamptz not null default now(),
    ended_at timestamptz
)
-- Every generation is updated once: room on its page keeps that update off the indexes.
with (fillfactor = 70);

create index generations_by_slice on backfill.generations (slice_id);
-- Few rows: what may be asked again is found without a walk through all generations.
create index generations_bad on backfill.generations (backfill, extractor_version) where state = 'bad';
create index generations_by_target on backfill.generations (target_id, extractor_version, backfill);

-- The same ids as tasks/core/identity.py: 128 bits of a SHA-256 over length-prefixed parts.
-- Not strict: Postgres puts only functions that are not into the query itself.
create function backfill.part(part text) returns bytea
language sql immutable parallel safe
return convert_to(octet_length(part)::text || ':' || part, 'UTF8');

create function backfill.content_hash(content text) returns uuid
language sql immutable parallel safe
return substr(encode(sha256(convert_to(content, 'UTF8')), 'hex'), 1, 32)::uuid;

create function backfill.doc_id(backfill text, extractor_version text, target_id text, content uuid)
returns uuid
language sql immutable parallel safe
return substr(encode(sha256(
    backfill.part(backfill) || backfill.part(extractor_version)
    || backfill.part(target_id) || backfill.part(content::text)
), 'hex'), 1, 32)::uuid;

-- The checkpoint that other tools read; a database that has one already keeps its own.
create table if not exists kb_migrations (
    job_name text primary key,
    cursor_position text,
    cursor_type text,
    updated_at timestamptz not null default now(),
    status text not null,
    items_processed bigint not null default 0
);
