-- Targets that a person asked to be forgotten: runs leave them alone. Nothing of what they say is here.
create table backfill.forgotten (
    backfill text not null,
    target_id text not null,
    forgotten_at timestamptz not null default now(),
    flow_run_id text,
    primary key (backfill, target_id)
);

-- Whose answers a block holds: it is rewritten when one of them is forgotten, and goes when it is too old.
create index questions_by_block on backfill.questions (block_id);
