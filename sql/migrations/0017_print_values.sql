-- A fingerprint is of a row's values; those that are taken already are of their texts, which took twice as long.
insert into backfill.readings (backfill, extractor_version, reading, columns)
select distinct
    projections.backfill,
    projections.extractor_version,
    projections.reading,
    '{}'::text[] as columns -- not noted yet: all that are ours
from backfill.projections
where projections.fingerprint is not null
on conflict do nothing;

alter table backfill.readings add column by_text boolean not null default true;
alter table backfill.readings alter column by_text set default false;
