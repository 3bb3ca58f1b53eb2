-- A person's yes to many missing rows being written again: somebody may have deleted them on purpose.
alter table backfill.runs add column restores_approved boolean not null default false;

-- Where a source says when its rows changed: up to when all of them were looked at and nothing was left, when last as a
-- whole, and what was asked of which table then.
create table backfill.looks (
    backfill text not null,
    extractor_version text not null,
    described text not null,
    looked_at timestamptz not null,
    whole_at timestamptz not null,
    primary key (backfill, extractor_version)
);

-- Whoever takes an entry out of the ledger makes its row worth another look, and nobody knows when that row changed.
create function backfill.look_again() returns trigger
language plpgsql as $$
begin
    delete from backfill.looks
    using (select distinct gone.backfill, gone.extractor_version from gone) as touched
    where looks.backfill = touched.backfill and looks.extractor_version = touched.extractor_version;
    return null;
end
$$;

create trigger look_again
after delete on backfill.generations
referencing old table as gone
for each statement execute function backfill.look_again();

create trigger look_again
after delete on backfill.questions
referencing old table as gone
for each statement execute function backfill.look_again();
