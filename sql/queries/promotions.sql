-- name: promoted
select
    promoted.extractor_version,
    promoted.promoted_by,
    promoted.reason,
    promoted.promoted_at
from backfill.promoted
where promoted.backfill = %(backfill)s;

-- name: promote
insert into backfill.promotions (backfill, extractor_version, promoted_by, reason, coverage)
values (%(backfill)s, %(extractor_version)s, %(promoted_by)s, %(reason)s, %(coverage)s);
