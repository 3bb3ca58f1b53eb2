-- What was spent on rows that were only tried: nothing is kept of their answers, and no version has a part in it. A
-- prompt that a person gave is kept, so that it can become the next version's. What a try that has ended still holds
-- belongs to requests that had no reply: they may have been paid.
create table backfill.tries (
    try_id uuid primary key default gen_random_uuid(),
    backfill text not null,
    model text not null,
    instruction text,
    cap_usd numeric not null,
    held_usd numeric not null default 0,
    cost_usd numeric not null default 0,
    requests integer not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    flow_run_id text,
    tried_at timestamptz not null default now()
);

create index tries_by_backfill on backfill.tries (backfill, tried_at);
