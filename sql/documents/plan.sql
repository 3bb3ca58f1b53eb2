-- name: add_run
insert into runs (run_id, is_current) values (:run_id, 0) on conflict (run_id) do nothing;

-- name: make_run_current
update runs set is_current = (runs.run_id = :run_id);

-- name: forget_source_rows
delete from source_rows;

-- name: forget_side_rows
delete from side_rows;

-- name: insert_source_row
insert into source_rows (
    source_csv, row_index, stage, task_id, combo_id, template_id, model_id, status, timestamp,
    instant, response_file, prompt_file, essay_task_id, generation_task_id, cells, fault
)
values (
    :source_csv, :row_index, :stage, :task_id, :combo_id, :template_id, :model_id, :status, :timestamp,
    :instant, :response_file, :prompt_file, :essay_task_id, :generation_task_id, :cells, :fault
);

-- name: insert_side_row
insert into side_rows (
    source_csv, row_index, fills, task_id, combo_id, template_id, model_id, draft_task_id, score
)
values (
    :source_csv, :row_index, :fills, :task_id, :combo_id, :template_id, :model_id, :draft_task_id, :score
);

-- name: mark_duplicates
-- The same record again is not another attempt.
update source_rows set fault = 'duplicate_row'
where source_rows.fault is null and exists (
    select 1
    from source_rows as earlier
    where
        earlier.source_csv = source_rows.source_csv
        and earlier.task_id = source_rows.task_id
        and earlier.row_index < source_rows.row_index
        and earlier.cells = source_rows.cells
        and earlier.fault is null
);

-- name: number_row_keys
update source_rows set row_key = numbered.row_key
from (
    select
        source_rows.id,
        source_rows.task_id
        || case source_rows.fault when 'duplicate_row' then '#again' else '#' end
        || row_number() over (
            partition by source_rows.source_csv, source_rows.task_id, source_rows.fault is 'duplicate_row'
            order by source_rows.row_index
        ) as row_key
    from source_rows
) as numbered
where source_rows.id = numbered.id;

-- name: fill_gaps
-- Task tables know what a results row left blank; the first row of a task id counts.
update source_rows
set
    combo_id = coalesce(nullif(source_rows.combo_id, ''), known.combo_id),
    template_id = coalesce(nullif(source_rows.template_id, ''), known.template_id),
    model_id = coalesce(nullif(source_rows.model_id, ''), known.model_id)
from (
    select
        side_rows.fills,
        side_rows.task_id,
        side_rows.combo_id,
        side_rows.template_id,
        side_rows.model_id,
        min(side_rows.row_index) as first_row
    from side_rows
    where side_rows.fills is not null and side_rows.task_id <> ''
    group by side_rows.fills, side_rows.task_id
) as known
where
    source_rows.source_csv = known.fills
    and source_rows.task_id = known.task_id
    and '' in (source_rows.combo_id, source_rows.template_id, source_rows.model_id);

-- name: apply_repairs
update source_rows set response_file = repairs.response_file
from repairs
where
    source_rows.source_csv = repairs.source_csv
    and source_rows.row_key = repairs.row_key
    and repairs.response_file <> '';

-- name: resolve_essays
-- The latest successful draft of the same combination and model that is not younger than the
-- essay. A tie goes to draft_generation_results.csv (the lower id), within one CSV to the last row.
update source_rows set
    parent_id = (
        select draft.id
        from source_rows as draft
        where
            draft.stage = 'draft'
            and draft.status = 'success'
            and draft.combo_id = source_rows.combo_id
            and draft.model_id = source_rows.model_id
            and draft.instant <= source_rows.instant
            and draft.combo_id <> ''
            and draft.model_id <> ''
            and (draft.fault is null or draft.fault = 'missing_task_id')
        order by draft.instant desc, draft.source_csv asc, draft.row_index desc
        limit 1
    )
where source_rows.stage = 'essay' and source_rows.fault is null;

-- name: resolve_evaluations
-- By essay_task_id, else by generation_task_id: a draft of that id, else an essay (older files have
-- generation_task_id instead of essay_task_id), else the draft that generation_results.csv names
-- for it. Of several attempts the latest not younger than the evaluation counts, else the latest.
update source_rows set
    parent_id = (
        select ranked.id
        from (
            select
                made.id,
                made.instant,
                made.source_csv,
                made.row_index,
                coalesce(made.instant <= source_rows.instant, 0) as in_time,
                case
                    when made.stage = 'essay' and made.task_id = source_rows.essay_task_id then 1
                    when made.stage = 'draft' and made.task_id = source_rows.generation_task_id then 2
                    when made.stage = 'essay' and made.task_id = source_rows.generation_task_id then 3
                    when
                        made.stage = 'draft'
                        and made.task_id in (
                            select side_rows.draft_task_id
                            from side_rows
                            where
                                side_rows.source_csv = 'generation_results.csv'
                                and side_rows.task_id = source_rows.generation_task_id
                        )
                        then 4
                end as named
            from source_rows as made
            where
                made.stage in ('draft', 'essay')
                and made.task_id in (
                    select source_rows.essay_task_id
                    union all
                    select source_rows.generation_task_id
                    union all
                    select side_rows.draft_task_id
                    from side_rows
                    where
                        side_rows.source_csv = 'generation_results.csv'
                        and side_rows.task_id = source_rows.generation_task_id
                )
                and made.task_id <> ''
                and made.fault is null
        ) as ranked
        where ranked.named is not null
        order by
            ranked.named asc,
            ranked.in_time desc,
            ranked.instant desc,
            ranked.source_csv asc,
            ranked.row_index desc
        limit 1
    )
where source_rows.stage = 'evaluation' and source_rows.fault is null;

-- name: apply_parent_repairs
-- A person's word on the parent goes over the rules; an essay's task id comes before a draft's.
update source_rows set
    parent_id = coalesce((
        select parent.id
        from repairs
        inner join source_rows as parent on repairs.parent_task_id = parent.task_id
        where
            repairs.source_csv = source_rows.source_csv
            and repairs.row_key = source_rows.row_key
            and parent.task_id <> ''
            and parent.fault is null
            and (parent.stage = 'draft' or (parent.stage = 'essay' and source_rows.stage = 'evaluation'))
        order by parent.stage desc, parent.instant desc, parent.source_csv asc, parent.row_index desc
        limit 1
    ), source_rows.parent_id)
where
    source_rows.stage <> 'draft'
    and (source_rows.source_csv, source_rows.row_key) in (
        select
            repairs.source_csv,
            repairs.row_key
        from repairs
        where repairs.parent_task_id <> ''
    );

-- name: cut_slices
-- A row with a document under this run is done; every other row is looked at (again).
update source_rows set slice_id = pending.slice_id
from (
    select
        source_rows.id,
        printf(
            '%s-%06d',
            replace(source_rows.source_csv, '.csv', ''),
            (row_number() over (partition by source_rows.source_csv order by source_rows.row_index) - 1) / :slice_size
        ) as slice_id
    from source_rows
    where not exists (
        select 1
        from documents
        where
            documents.run_id = :run_id
            and documents.source_csv = source_rows.source_csv
            and documents.row_key = source_rows.row_key
    )
) as pending
where source_rows.id = pending.id;

-- name: list_slices
select
    source_rows.source_csv,
    source_rows.slice_id,
    count(*) as row_count
from source_rows
where source_rows.slice_id is not null
group by source_rows.source_csv, source_rows.slice_id
order by min(source_rows.id);

-- name: upsert_repair
insert into repairs (source_csv, row_key, response_file, parent_task_id)
values (:source_csv, :row_key, :response_file, :parent_task_id)
on conflict (source_csv, row_key) do update
set response_file = excluded.response_file, parent_task_id = excluded.parent_task_id;

-- name: unknown_repairs
select
    repairs.source_csv,
    repairs.row_key
from repairs
where
    not exists (
        select 1
        from source_rows
        where source_rows.source_csv = repairs.source_csv and source_rows.row_key = repairs.row_key
    )
order by repairs.source_csv, repairs.row_key;
