-- name: waves
-- What became of each wave of a run, however often parts of it were asked.
with ends as (
    select
        slices.wave,
        generations.state,
        coalesce(generations.reason, 'unknown') as reason,
        count(*) as targets
    from backfill.generations
    inner join backfill.slices on generations.slice_id = slices.slice_id
    where slices.run_id = %(run_id)s
    group by slices.wave, generations.state, generations.reason
)

select
    ends.wave,
    coalesce(sum(ends.targets) filter (where ends.state in ('written', 'empty')), 0)::int as usable,
    coalesce(sum(ends.targets) filter (where ends.state = 'skipped'), 0)::int as skipped,
    coalesce(sum(ends.targets) filter (where ends.state = 'planned'), 0)::int as planned,
    coalesce(jsonb_object_agg(ends.reason, ends.targets) filter (where ends.state = 'bad'), '{}') as bad
from ends
group by ends.wave
order by ends.wave;

-- name: tokens_of_waves
select
    slices.wave,
    slices.model,
    slices.transport,
    count(*) as slices,
    sum(slices.input_tokens)::bigint as input_tokens,
    sum(slices.output_tokens)::bigint as output_tokens,
    sum(slices.cost_usd)::float as cost_usd
from backfill.slices
where slices.run_id = %(run_id)s and slices.model is not null
group by slices.wave, slices.model, slices.transport;

-- name: ended_slices
-- What came of the slices of a slice's run whose answers are in. What was not answered at no cost says nothing, nor
-- does what is asked again alone, because others were asked with it.
select
    others.wave,
    others.attempt,
    others.written + others.empty as usable,
    others.bad - least(others.bad, said_nothing.requests) as bad
from backfill.slices
inner join backfill.slices as others on slices.run_id = others.run_id
cross join
    lateral (
        select coalesce(sum(measured.value::float), 0)::integer as requests
        from jsonb_each_text(others.measures) as measured (key, value)
        where measured.key = any(%(say_nothing)s)
    ) as said_nothing
where slices.slice_id = %(slice_id)s and others.state = 'done' and others.question = 'answer'
order by others.finished_at;
