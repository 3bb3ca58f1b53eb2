-- Two versions compared on the same targets: who may have spent how much for it, and what was said of both.
create table backfill.comparisons (
    comparison_id uuid primary key default gen_random_uuid(),
    backfill text not null,
    first_version text not null,
    second_version text not null,
    targets integer not null,
    approved_usd numeric not null,
    spent_usd numeric not null default 0,
    flow_run_id text,
    verdict text,
    began_at timestamptz not null default now(),
    ended_at timestamptz
);

-- Which version readers get, each time that a person chose one; the last one counts.
create table backfill.promotions (
    promotion_id bigint generated always as identity primary key,
    backfill text not null,
    extractor_version text not null,
    promoted_by text not null,
    reason text not null,
    coverage real,
    promoted_at timestamptz not null default now()
);

create index promotions_by_backfill on backfill.promotions (backfill, promotion_id);

-- One that was rolled back leaves readers with the one before it.
create view backfill.promoted as
select distinct on (promotions.backfill)
    promotions.backfill,
    promotions.extractor_version,
    promotions.promoted_by,
    promotions.reason,
    promotions.promoted_at
from backfill.promotions
left join backfill.versions
    on promotions.backfill = versions.backfill and promotions.extractor_version = versions.extractor_version
where versions.withdrawn_at is null
order by promotions.backfill asc, promotions.promotion_id desc;
