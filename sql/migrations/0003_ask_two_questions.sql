-- A slice asks one question. Where a backfill wants a vector too, its targets are embedded first and
-- then move on, in the same transaction, to a slice that asks for the answer.
alter table backfill.slices
add column question text not null default 'answer' check (question in ('embedding', 'answer')),
add column transport text not null default 'batch' check (transport in ('batch', 'interactive')),
add column moved integer not null default 0;

-- Vectors that were paid for, until they are written together with the answer.
create table backfill.vectors (
    doc_id uuid primary key references backfill.generations (doc_id) on delete cascade,
    vector double precision[] not null,
    created_at timestamptz not null default now()
);

-- What is wrong with an embedding, or null. It may be text, jsonb, an array or a pgvector column, as
-- to_jsonb() shows it. A placeholder counts up in equal steps; nine in ten are enough to know it, so
-- that neither rounding nor a wrap-around hides one. No real vector has two equal steps in a row.
create function backfill.embedding_flaw(embedding jsonb, dimensions integer) returns text
language plpgsql immutable parallel safe
as $$
declare
    written constant text := btrim(embedding #>> '{}');
    numbers double precision[];
begin
    if coalesce(written, '') = '' then
        return 'null';
    end if;
    if written !~ '^[\[{]\s*[-+.0-9eE]+(\s*,\s*[-+.0-9eE]+)*\s*[\]}]$' then
        return case when written ~ '^[\[{]\s*[\]}]$' then 'no values' else 'not a list of numbers' end;
    end if;
    begin
        numbers := string_to_array(btrim(written, E'[]{} \t\r\n'), ',')::double precision[];
    exception when invalid_text_representation or numeric_value_out_of_range then
        return 'not a list of numbers';
    end;
    if cardinality(numbers) <> dimensions then
        return 'dimension ' || cardinality(numbers);
    end if;
    if not exists (select from unnest(numbers) as value where value <> 0) then
        return 'all zeros';
    end if;
    return (
        with steps as (
            select numbers[place + 1] - numbers[place] as step
            from generate_series(1, cardinality(numbers) - 1) as place
        ),
        usual as (select percentile_disc(0.5) within group (order by steps.step) as step from steps)
        select case when avg((abs(steps.step - usual.step) <= 1e-5)::int) >= 0.9 then 'sequential' end
        from steps cross join usual
    );
end
$$;

-- The length of an embedding that has no flaw.
create function backfill.embedding_length(embedding jsonb) returns double precision
language sql immutable parallel safe
return (
    select sqrt(sum(value::double precision ^ 2))
    from unnest(string_to_array(btrim(embedding #>> '{}', E'[]{} \t\r\n'), ',')) as value
);
