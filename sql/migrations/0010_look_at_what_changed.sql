-- A person's yes to many missing rows being written again: somebody may have deleted them on purpose.
alter table backfill.runs add column restores_approved boolean not null default false;
