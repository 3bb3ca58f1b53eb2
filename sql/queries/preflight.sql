-- name: needs
-- One row per column and per right that is missing, in words for a person.
with wanted as (
    select *
    from unnest(%(tables)s::text[], %(columns)s::text[], %(rights)s::text[]) as needs (
        table_name, column_name, right_name
    )
)

select distinct
    wanted.table_name,
    case
        when to_regclass(wanted.table_name) is null then 'table'
        when wanted.column_name is not null then 'column ' || wanted.column_name
        else 'right ' || wanted.right_name
    end as missing
from wanted
where
    to_regclass(wanted.table_name) is null
    or (wanted.column_name is not null and not exists (
        select 1 from pg_attribute
        where
            pg_attribute.attrelid = to_regclass(wanted.table_name)
            and pg_attribute.attname = wanted.column_name
            and not pg_attribute.attisdropped
    ))
    or (
        wanted.right_name is not null
        and not has_table_privilege(to_regclass(wanted.table_name)::oid, wanted.right_name)
    )
order by wanted.table_name, missing;

-- name: sample_tables
-- Tables filled by `make up`, known by the comment that it leaves on them.
select wanted.table_name
from unnest(%(tables)s::text[]) as wanted (table_name)
where starts_with(obj_description(to_regclass(wanted.table_name), 'pg_class'), 'Sample data of the embedded stack')
order by wanted.table_name;

-- name: where_am_i
select
    current_database() as database,
    current_user as role;
