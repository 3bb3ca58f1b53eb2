-- Rows that were put before people, why each was, and what they said of it. A row that should be there has its line,
-- with nothing that was found. Several answers can be the gold of one backfill: what counts is the version's own.
create table backfill.reviews (
    review_id bigint generated always as identity primary key,
    backfill text not null,
    extractor_version text not null,
    target_id text not null,
    found jsonb,
    chosen text[] not null,
    flow_run_id text,
    verdict text check (verdict in ('right', 'wrong', 'missing')),
    corrected jsonb,
    comment text,
    sampled_at timestamptz not null default now(),
    judged_at timestamptz
);

create index reviews_by_target on backfill.reviews (target_id, extractor_version, backfill);
create index reviews_judged on backfill.reviews (backfill) where verdict is not null;
