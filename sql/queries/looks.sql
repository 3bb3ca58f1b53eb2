-- name: since
-- From when on changed rows have to be looked at; nothing where all of them have to be.
select looks.looked_at - %(overlap)s::interval as since
from backfill.looks
where
    looks.backfill = %(backfill)s
    and looks.extractor_version = %(extractor_version)s
    and looks.described = %(described)s
    and looks.whole_at > now() - %(whole_every)s::interval;

-- name: note_look
-- As of this transaction's beginning, which is before anything that it saw.
insert into backfill.looks (backfill, extractor_version, described, looked_at, whole_at)
values (%(backfill)s, %(extractor_version)s, %(described)s, now(), now())
on conflict (backfill, extractor_version) do update
    set
        described = excluded.described,
        looked_at = excluded.looked_at,
        whole_at = case when %(is_whole)s then excluded.whole_at else looks.whole_at end;
