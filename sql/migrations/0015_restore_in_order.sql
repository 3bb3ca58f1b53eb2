-- What waits to be restored has a place, so that the next ones are found without a look at all that wait.
alter table backfill.restores add column place bigint generated always as identity;

create index restores_in_order on backfill.restores (backfill, extractor_version, place);
