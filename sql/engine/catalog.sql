-- name: find_table
-- A table by its name in the letters that the database has; null rights where it may not be looked at.
select
    pg_class.oid::bigint as oid,
    pg_namespace.nspname as schema_name,
    pg_class.relname as table_name,
    pg_class.relkind::text as kind,
    pg_catalog.row_security_active(pg_class.oid) as hides_rows,
    coalesce(obj_description(pg_class.oid, 'pg_class'), '') as comment
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where pg_class.oid = to_regclass(%(name)s);

-- name: table_columns
-- Every column of a table: its type, a domain's as the type below it, and whether a new row must give it a value.
select
    pg_attribute.attname as name,
    format_type(pg_attribute.atttypid, pg_attribute.atttypmod) as type_name,
    coalesce(base.typname, pg_type.typname) as base,
    coalesce(base.typcategory, pg_type.typcategory) = 'A' as is_array,
    coalesce(base.typtype, pg_type.typtype) = 'e' as is_closed,
    (
        pg_attribute.attnotnull and not pg_attribute.atthasdef and pg_attribute.attidentity = ''
    ) as is_required,
    pg_attribute.attgenerated <> '' as is_generated
from pg_attribute
inner join pg_type on pg_attribute.atttypid = pg_type.oid
left join lateral (
    with recursive below as (
        select
            pg_type.typbasetype as oid,
            1 as depth
        union all
        select
            next.typbasetype,
            below.depth + 1
        from below
        inner join pg_type as next on below.oid = next.oid
        where next.typtype = 'd'
    )

    select
        lowest.typname,
        lowest.typcategory,
        lowest.typtype
    from below
    inner join pg_type as lowest on below.oid = lowest.oid
    order by below.depth desc
    limit 1
) as base on true
where
    pg_attribute.attrelid = %(oid)s::oid
    and pg_attribute.attnum > 0
    and not pg_attribute.attisdropped
order by pg_attribute.attnum;

-- name: table_names
-- What a name that is not there may have meant.
select
    case
        when pg_table_is_visible(pg_class.oid) then pg_class.relname
        else pg_namespace.nspname || '.' || pg_class.relname
    end as name
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where
    pg_class.relkind in ('r', 'p', 'v', 'm', 'f')
    and pg_namespace.nspname not in ('pg_catalog', 'information_schema', 'backfill')
    and pg_namespace.nspname !~ '^pg_'
order by name;

-- name: missing_rights
-- Which rights on a table, or on some of its columns, this user lacks.
select wanted.right_name
from unnest(%(rights)s::text[], %(columns)s::text[]) as wanted (right_name, column_name)
where
    not has_table_privilege(%(oid)s::oid, wanted.right_name)
    and (
        wanted.column_name is null
        or not has_column_privilege(%(oid)s::oid, wanted.column_name, wanted.right_name)
    )
group by wanted.right_name
order by wanted.right_name;

-- name: is_unique
-- Whether a unique index over this column alone says that a value names one row.
select exists(
    select 1
    from pg_index
    inner join pg_attribute
        on pg_index.indrelid = pg_attribute.attrelid and pg_attribute.attnum = pg_index.indkey[0]
    where
        pg_index.indrelid = %(oid)s::oid
        and pg_index.indisunique
        and pg_index.indnkeyatts = 1
        and pg_index.indpred is null
        and pg_attribute.attname = %(column_name)s
) as is_unique;

-- name: is_indexed
-- Whether an index over all rows begins with this column.
select exists(
    select 1
    from pg_index
    inner join pg_attribute
        on pg_index.indrelid = pg_attribute.attrelid and pg_attribute.attnum = pg_index.indkey[0]
    where
        pg_index.indrelid = %(oid)s::oid
        and pg_index.indisvalid
        and pg_index.indpred is null
        and pg_attribute.attname = %(column_name)s
) as is_indexed;

-- name: columns_of_constraint
-- Which columns a constraint of a table is about.
select pg_attribute.attname as name
from pg_constraint
inner join pg_attribute
    on pg_constraint.conrelid = pg_attribute.attrelid and pg_attribute.attnum = any(pg_constraint.conkey)
where pg_constraint.conrelid = %(oid)s::oid and pg_constraint.conname = %(name)s;

-- name: role
select current_user as role;
