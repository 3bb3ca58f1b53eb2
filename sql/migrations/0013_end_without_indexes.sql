-- What the end of a generation changes stands in no index, so that it stays on its page and touches none: bad ones
-- are found by their reason, which few good ones have. A slice ends in one transaction: its pages have room for all.
drop index backfill.generations_bad;
create index generations_with_reason on backfill.generations (backfill, extractor_version) where reason is not null;
alter table backfill.generations set (fillfactor = 45);
