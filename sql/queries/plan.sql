-- name: remaining
-- Every candidate of the backfill that wants something, by what is in the tables: to be asked, to have its kept answer
-- written again, to be noted as one that cannot be asked, or as one whose answer is kept no more.
-- The candidates are derived from its declaration: target_id, content, is_blank, has_rows.
-- noqa: disable=all
create temporary table remaining on commit drop as
-- Materialized twice, so that each text is hashed once and not carried through the sort.
with identified as materialized (
    select
        candidates.target_id,
        candidates.has_rows,
        octet_length(candidates.content) as content_bytes,
        candidates.is_blank,
        backfill.content_hash(candidates.content) as content_hash
    from ({candidates}) as candidates
    where
        candidates.target_id is not null
        and not exists (
            select 1 from backfill.forgotten
            where forgotten.backfill = %(backfill)s and forgotten.target_id = candidates.target_id
        )
),

keyed as materialized (
    select
        identified.*,
        backfill.doc_id(
            %(backfill)s, %(extractor_version)s, identified.target_id, identified.content_hash
        ) as doc_id,
        backfill.question_id(%(backfill)s, %(extractor_version)s, identified.content_hash) as question_id
    from identified
),

known as (
    select
        keyed.*,
        generations.state,
        generations.reason,
        questions.is_usable,
        questions.block_id is not null as is_kept,
        projections.doc_id is not null and (keyed.has_rows or projections.records = 0) as stands,
        row_number() over (
            partition by keyed.target_id
            order by generations.doc_id is null, generations.state = 'skipped', keyed.doc_id
        ) as copy_number
    from keyed
    left join backfill.generations on keyed.doc_id = generations.doc_id
    left join backfill.questions on keyed.question_id = questions.question_id
    left join backfill.projections on keyed.doc_id = projections.doc_id
),

-- Questions that are on their way, and those that a target is bad for; found by their slices and reasons, because of a
-- few rows that changed nobody wants to read a whole ledger.
held as (
    select
        found.content_hash,
        bool_or(found.is_open) as is_open,
        bool_or(found.is_bad) as is_bad
    from (
        select
            generations.content_hash,
            -- One that is planned only is asked by a text that is there.
            slices.state <> 'planned' or keyed.doc_id is not null as is_open,
            false as is_bad
        from backfill.slices
        inner join backfill.generations on slices.slice_id = generations.slice_id
        left join keyed on generations.doc_id = keyed.doc_id
        where
            slices.backfill = %(backfill)s
            and slices.extractor_version = %(extractor_version)s
            and slices.state in ('planned', 'reserved', 'submitted')
            and generations.state = 'planned'
        union all
        select
            generations.content_hash,
            false as is_open,
            true as is_bad
        from backfill.generations
        where
            generations.backfill = %(backfill)s
            and generations.extractor_version = %(extractor_version)s
            and generations.state = 'bad'
            and generations.reason is not null
    ) as found
    group by found.content_hash
),

-- What each row wants, by what there is of it; one that wants nothing is done, on its way, or left.
classed as (
    select
        known.*,
        coalesce(held.is_open, false) as is_open,
        case
            when known.state = 'planned' then null
            when known.copy_number > 1 then case when known.state is null then 'duplicate_id' end
            when known.is_blank then case when known.state is null then 'empty_text' end
            -- What stands was written by others.
            when known.has_rows and not known.stands and not exists (
                select 1 from backfill.projections as ours
                where
                    ours.target_id = known.target_id
                    and ours.extractor_version = %(extractor_version)s
                    and ours.backfill = %(backfill)s
            ) then null
            when known.reason in ('unread', 'refused_by_database', 'records_failed') then null
            when known.reason = 'edited' and known.has_rows then null
            when known.is_usable and known.is_kept then case when not known.stands then 'restore' end
            when known.state = 'bad' then null
            when known.state = 'skipped' and known.reason <> all(%(passing)s::text[]) then null
            when known.state in ('written', 'empty') or known.is_usable then
                case when not known.stands then 'thinned' end
            -- Its twin is bad, with an answer or without one: it is asked again when that is.
            when held.is_bad then null
            else 'ask'
        end as wants
    from known
    left join held on known.content_hash = held.content_hash
)

select
    classed.doc_id,
    classed.target_id,
    classed.content_hash,
    classed.question_id,
    classed.content_bytes,
    classed.wants,
    -- Of those that ask the same, one is asked, unless one is on its way; the others get its answer.
    classed.wants = 'ask' and (
        classed.is_open
        or row_number() over (
            partition by classed.question_id, classed.wants order by classed.target_id
        ) > 1
    ) as is_twin
from classed
where classed.wants is not null;
-- noqa: enable=all

-- name: chosen
-- The remaining targets that this run takes on, cut into waves and slices by rows, tokens and bytes.
create temporary table chosen on commit drop as
with ordered as (
    select
        remaining.*,
        remaining.content_bytes / %(bytes_per_token)s::real + %(tokens_per_request)s as tokens,
        remaining.content_bytes * 1.1 + %(bytes_per_request)s as line_bytes,
        row_number() over (
            order by case when %(sample)s then remaining.doc_id::text else remaining.target_id end
        ) as place
    from remaining
    where remaining.wants = 'ask' and not remaining.is_twin
    order by place
    limit %(max_targets)s
),

in_waves as (
    select
        ordered.*,
        case
            when %(wave_ends)s::bigint[] is null then %(first_wave)s
            else
                %(first_wave)s
                + width_bucket(ordered.place - 1, %(wave_ends)s::bigint[])
                + greatest(0, ordered.place - 1 - %(last_wave_end)s) / %(last_wave_size)s
        end as wave
    from ordered
),

weighed as (
    select
        in_waves.*,
        sum(greatest(
            1000000000000 / %(slice_size)s,
            floor(in_waves.tokens * 1000000000000 / %(slice_tokens)s),
            floor(in_waves.line_bytes * 1000000000000 / %(slice_bytes)s)
        )) over (
            partition by in_waves.wave order by in_waves.place
        ) as weight
    from in_waves
)

select
    weighed.doc_id,
    weighed.target_id,
    weighed.content_hash,
    weighed.tokens,
    weighed.wave,
    floor((weighed.weight - 1) / 1000000000000) as slice_number
from weighed;

-- name: name_slices
create temporary table named on commit drop as
select
    chosen.wave,
    chosen.slice_number,
    count(*) as request_count,
    ceil(sum(chosen.tokens)) as tokens,
    substr(encode(sha256(
        -- With the transaction: a run may plan the same targets again, after a job of theirs was cancelled.
        convert_to(%(run_id)s::text || pg_current_xact_id()::text, 'UTF8')
        || string_agg(uuid_send(chosen.doc_id), ''::bytea order by chosen.target_id)
    ), 'hex'), 1, 16) as slice_id
from chosen
group by chosen.wave, chosen.slice_number;

-- name: insert_slices
insert into backfill.slices (
    slice_id, run_id, backfill, extractor_version, wave, request_count, estimated_input_tokens, question, model,
    rows_per_request
)
select
    named.slice_id,
    %(run_id)s,
    %(backfill)s,
    %(extractor_version)s,
    named.wave,
    named.request_count,
    named.tokens,
    %(question)s,
    %(model)s,
    %(rows_per_request)s
from named
order by named.wave, named.slice_number;

-- name: insert_generations
insert into backfill.generations (
    doc_id, backfill, extractor_version, target_id, content_hash, slice_id
)
select
    chosen.doc_id,
    %(backfill)s,
    %(extractor_version)s,
    chosen.target_id,
    chosen.content_hash,
    named.slice_id
from chosen
inner join named on chosen.wave = named.wave and chosen.slice_number = named.slice_number
order by named.slice_id, chosen.target_id
-- Skipped for a reason that has passed.
on conflict (doc_id) do update
    set slice_id = excluded.slice_id, state = 'planned', reason = null, detail = null, ended_at = null;

-- name: insert_skipped
-- Rows that cannot be asked are counted once, so that the sums are of every row there is.
insert into backfill.generations (
    doc_id, backfill, extractor_version, target_id, content_hash, state, reason, ended_at
)
select
    remaining.doc_id,
    %(backfill)s,
    %(extractor_version)s,
    remaining.target_id,
    remaining.content_hash,
    'skipped',
    remaining.wants,
    now()
from remaining
where remaining.wants in ('duplicate_id', 'empty_text')
on conflict (doc_id) do nothing;

-- name: plan_restores
-- In the order of their answers' blocks, so that each is read once; twins of what is on its way come last.
insert into backfill.restores (doc_id, backfill, extractor_version, target_id, content_hash, question_id)
select
    remaining.doc_id,
    %(backfill)s,
    %(extractor_version)s,
    remaining.target_id,
    remaining.content_hash,
    remaining.question_id
from remaining
left join backfill.questions on remaining.question_id = questions.question_id
where remaining.wants = 'restore' or remaining.is_twin
order by questions.block_id asc nulls last, remaining.doc_id asc
on conflict (doc_id) do nothing;

-- name: count_remaining
select
    count(*) filter (where remaining.wants = 'ask' and not remaining.is_twin) as askable,
    count(*) filter (where remaining.wants in ('duplicate_id', 'empty_text')) as skipped,
    count(*) filter (where remaining.wants = 'restore') as restorable,
    count(*) filter (where remaining.is_twin) as twins,
    count(*) filter (where remaining.wants = 'thinned') as thinned,
    coalesce(sum(remaining.content_bytes) filter (where remaining.is_twin), 0)::bigint as twin_bytes,
    coalesce(sum(remaining.content_bytes) filter (
        where remaining.wants = 'ask' and not remaining.is_twin
    ), 0)::bigint as content_bytes,
    coalesce(max(remaining.content_bytes) filter (where remaining.wants = 'ask'), 0) as longest_bytes
from remaining;

-- name: first_remaining
-- In the order in which a run takes them on.
select remaining.target_id
from remaining
where remaining.wants = 'ask' and not remaining.is_twin
order by case when %(sample)s then remaining.doc_id::text else remaining.target_id end
limit %(size)s;
