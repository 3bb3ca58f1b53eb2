-- Of rows that are filled in in place: what our columns held before we first did, as texts, so that a rollback can put
-- it back; and a hash of each as we last wrote it, so that what a person wrote since is known from what is ours.
create table backfill.filled (
    backfill text not null,
    extractor_version text not null,
    target_id text not null,
    before jsonb not null,
    written jsonb,
    filled_at timestamptz not null default now(),
    primary key (target_id, extractor_version, backfill)
);
