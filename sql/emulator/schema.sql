create table if not exists settings (
    name text primary key,
    value text not null
);

create table if not exists files (
    seq integer primary key autoincrement,
    id text not null unique,
    project text not null,
    display_name text not null,
    mime_type text not null,
    size integer not null,
    sha256 text not null,
    created real not null,
    expires real not null
);

create table if not exists uploads (
    id text primary key,
    project text not null,
    file_id text not null,
    display_name text not null,
    mime_type text not null,
    size integer not null,
    received integer not null default 0
);

create table if not exists jobs (
    seq integer primary key autoincrement,
    id text not null unique,
    project text not null,
    kind text not null,
    model text not null,
    display_name text not null,
    file_id text,
    created real not null,
    updated real not null,
    ended real,
    state text not null,
    fate text not null,
    error text,
    deleted integer not null default 0,
    requests integer not null,
    enqueued_tokens integer not null,
    input_at integer not null default 0,
    output_at integer not null default 0,
    drained integer not null default 0,
    answered integer not null default 0,
    failed integer not null default 0,
    input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    thought_tokens integer not null default 0
);

create index if not exists jobs_by_state on jobs (state);

create table if not exists asks (
    id integer primary key,
    key text not null,
    job integer not null,
    start integer not null,
    size integer not null,
    ok integer not null
);

create index if not exists asks_by_key on asks (key);

create table if not exists online (
    seq integer primary key autoincrement,
    time real not null,
    method text not null,
    model text not null,
    requests integer not null,
    input_tokens integer not null,
    output_tokens integer not null,
    thought_tokens integer not null
);

create table if not exists searches (
    seq integer primary key autoincrement,
    job integer not null,
    model text not null,
    queries integer not null
);

create index if not exists searches_by_job on searches (job);

create table if not exists calls (
    method text primary key,
    times integer not null
);

create table if not exists events (
    seq integer primary key autoincrement,
    time real not null,
    kind text not null,
    detail text not null
);

create table if not exists faults (
    id integer primary key autoincrement,
    kind text not null,
    site text not null,
    remaining integer,
    share real not null,
    conditions text not null,
    params text not null,
    fired integer not null default 0
);
