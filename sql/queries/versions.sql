-- name: recorded_version
select
    versions.digest,
    versions.model,
    versions.meaning,
    versions.withdrawn_at,
    versions.meaning -> 'wire' as wire
from backfill.versions
where versions.backfill = %(backfill)s and versions.extractor_version = %(extractor_version)s;

-- name: record_version
-- One that was recorded before meanings were gets its own, while its digest is still the same.
insert into backfill.versions (backfill, extractor_version, digest, model, meaning)
values (%(backfill)s, %(extractor_version)s, %(digest)s, %(model)s, %(meaning)s)
on conflict (backfill, extractor_version) do update
    set meaning = excluded.meaning
    where versions.meaning is null and versions.digest = excluded.digest;

-- name: version_is_in_use
-- Whether an answer was ever paid for under this version, or may be on its way.
select exists (
    select 1 from backfill.slices
    where
        slices.backfill = %(backfill)s
        and slices.extractor_version = %(extractor_version)s
        and (
            slices.state in ('reserved', 'submitted')
            or slices.state = 'done' and slices.written + slices.empty + slices.bad + slices.moved > 0
        )
) or exists (
    select 1 from backfill.generations
    where
        generations.backfill = %(backfill)s
        and generations.extractor_version = %(extractor_version)s
        and generations.state in ('written', 'empty', 'bad')
) or exists (
    select 1 from backfill.answer_blocks
    where
        answer_blocks.backfill = %(backfill)s
        and answer_blocks.extractor_version = %(extractor_version)s
) as in_use;

-- name: replace_version
update backfill.versions
set digest = %(digest)s, model = %(model)s, meaning = %(meaning)s, recorded_at = now()
where versions.backfill = %(backfill)s and versions.extractor_version = %(extractor_version)s;

-- name: names
select versions.extractor_version
from backfill.versions
where versions.backfill = %(backfill)s
order by versions.recorded_at, versions.extractor_version;
