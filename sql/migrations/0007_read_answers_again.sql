-- What a version means in full: what is asked of the model, and how a target's text is made.
alter table backfill.versions add column meaning jsonb;

-- By which reading an answer became the rows that stand: a number that a declaration raises when its code changes.
alter table backfill.projections add column reading integer not null default 1;

-- Over which columns a reading's fingerprints were taken: records may have more of them by the next one.
create table backfill.readings (
    backfill text not null,
    extractor_version text not null,
    reading integer not null,
    columns text[] not null,
    primary key (backfill, extractor_version, reading)
);

-- Targets whose kept answers are being read again, in the order in which blocks of answers lie.
create table backfill.rereads (
    backfill text not null,
    extractor_version text not null,
    place bigint not null,
    doc_id uuid not null,
    target_id text not null,
    content_hash uuid not null,
    question_id uuid not null,
    state text,
    attempts integer not null,
    primary key (backfill, extractor_version, place)
);
