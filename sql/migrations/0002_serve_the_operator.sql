-- A run's verdict, and what it was a verdict on: full asks for a pilot that passed.
alter table backfill.runs
add column passed boolean,
add column digest text,
add column without_pilot boolean not null default false;

-- What was rolled back stays on record, because it was paid for; it counts as done no more.
alter table backfill.runs drop constraint runs_state_check;
alter table backfill.runs add constraint runs_state_check
check (state in ('running', 'finished', 'failed', 'stopped', 'refused', 'rolled_back'));
alter table backfill.slices drop constraint slices_state_check;
alter table backfill.slices add constraint slices_state_check
check (state in ('planned', 'reserved', 'submitted', 'done', 'failed', 'rolled_back'));

-- One row per rollback; while it has no end, no run of that version starts.
create table backfill.rollbacks (
    rollback_id uuid primary key default gen_random_uuid(),
    backfill text not null,
    extractor_version text not null,
    rows_deleted bigint not null default 0,
    generations_deleted bigint not null default 0,
    spent_usd numeric not null default 0,
    begun_at timestamptz not null default now(),
    ended_at timestamptz
);

create unique index rollbacks_unfinished on backfill.rollbacks (backfill, extractor_version)
where ended_at is null;

-- The merge policy is data: which version's row wins (the lowest rank), and how sure it must be.
create table backfill.preferences (
    extractor_version text primary key,
    rank integer not null unique,
    least_confidence real not null default 0.7
);

insert into backfill.preferences (extractor_version, rank)
values ('gemini_batch_v1', 1), ('llm_v2', 2), ('haiku_v1', 3);

-- Where every target of every backfill stands, by extractor version.
create view backfill.coverage as
select
    generations.backfill,
    generations.extractor_version,
    count(*) as targets,
    count(*) filter (where generations.state = 'planned') as planned,
    count(*) filter (where generations.state = 'written') as written,
    count(*) filter (where generations.state = 'empty') as empty,
    count(*) filter (where generations.state = 'bad') as bad,
    count(*) filter (where generations.state = 'skipped') as skipped
from backfill.generations
group by generations.backfill, generations.extractor_version;

-- Views over the user's concept tables. A database may get those tables after this migration,
-- so every deploy and every preflight calls this again; a view that exists is left alone.
create function backfill.create_views() returns setof text
language plpgsql as $$
declare
    subject record;
    best text;
    covered text;
begin
    for subject in
        select * from (values
            ('passage_concepts', 'passage_id', 'passages'),
            ('chunk_concepts', 'chunk_id', 'code_chunks')
        ) as known (concepts, id, sources)
        where to_regclass(known.concepts) is not null and to_regclass(known.sources) is not null
    loop
        begin
            best := subject.concepts || '_best';
            covered := subject.concepts || '_coverage';
            if to_regclass('backfill.' || best) is null then
                -- distinct on the id lets a query for one id use the table's index on it.
                execute format($view$
                    create view backfill.%1$I as
                    select distinct on (concepts.%2$I, lower(concepts.concept_name)) concepts.*
                    from %3$I as concepts
                    inner join backfill.preferences
                        on concepts.extractor_version = preferences.extractor_version
                    where concepts.confidence >= preferences.least_confidence
                    order by
                        concepts.%2$I, lower(concepts.concept_name), preferences.rank,
                        concepts.confidence desc, concepts.created_at desc nulls last
                $view$, best, subject.id, subject.concepts);
                return next best;
            end if;
            if to_regclass('backfill.' || covered) is null then
                execute format($view$
                    create view backfill.%1$I as
                    select
                        counted.extractor_version, counted.targets, counted.concepts,
                        counted.targets::real / nullif((select count(*) from %4$I), 0) as share
                    from (
                        select
                            concepts.extractor_version,
                            count(distinct concepts.%2$I) as targets,
                            count(*) as concepts
                        from %3$I as concepts
                        group by concepts.extractor_version
                    ) as counted
                $view$, covered, subject.id, subject.concepts, subject.sources);
                return next covered;
            end if;
        exception
            -- Preflight names missing columns itself; a reader without the right can do without views.
            when undefined_column or insufficient_privilege then null;
        end;
    end loop;
end
$$;
