-- name: remaining
-- Every candidate of the backfill that nobody has answered, in the order in which it will be asked.
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
    where candidates.target_id is not null
),

keyed as materialized (
    select
        identified.*,
        backfill.doc_id(
            %(backfill)s, %(extractor_version)s, identified.target_id, identified.content_hash
        ) as doc_id
    from identified
),

ranked as (
    select
        keyed.*,
        answered.doc_id is not null as is_known,
        row_number() over (
            partition by keyed.target_id
            order by answered.doc_id is null, keyed.doc_id
        ) as copy_number
    from keyed
    left join backfill.generations as answered on keyed.doc_id = answered.doc_id
)

select
    ranked.doc_id,
    ranked.target_id,
    ranked.content_hash,
    ranked.content_bytes,
    case
        when ranked.copy_number > 1 then 'duplicate_id'
        when ranked.is_blank then 'empty_text'
    end as skip_reason
from ranked
where
    not ranked.is_known
    and (not ranked.has_rows or exists (
        select 1 from backfill.generations as earlier
        where
            earlier.target_id = ranked.target_id
            and earlier.extractor_version = %(extractor_version)s
            and earlier.backfill = %(backfill)s
    ));
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
    where remaining.skip_reason is null
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
        convert_to(%(run_id)s::text, 'UTF8')
        || string_agg(uuid_send(chosen.doc_id), ''::bytea order by chosen.target_id)
    ), 'hex'), 1, 16) as slice_id
from chosen
group by chosen.wave, chosen.slice_number;

-- name: insert_slices
insert into backfill.slices (
    slice_id, run_id, backfill, extractor_version, wave, request_count, estimated_input_tokens, question, model
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
    %(model)s
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
order by named.slice_id, chosen.target_id;

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
    remaining.skip_reason,
    now()
from remaining
where remaining.skip_reason is not null
on conflict (doc_id) do nothing;

-- name: count_remaining
select
    count(*) filter (where remaining.skip_reason is null) as askable,
    count(*) filter (where remaining.skip_reason is not null) as skipped,
    coalesce(sum(remaining.content_bytes) filter (where remaining.skip_reason is null), 0)::bigint as content_bytes,
    coalesce(max(remaining.content_bytes) filter (where remaining.skip_reason is null), 0) as longest_bytes
from remaining;

-- name: first_remaining
-- In the order in which a run takes them on.
select remaining.target_id
from remaining
where remaining.skip_reason is null
order by case when %(sample)s then remaining.doc_id::text else remaining.target_id end
limit %(size)s;
