-- Identifiers are put in by psycopg.sql, so sqlfluff cannot read this file.
-- noqa: disable=all

-- name: some_rows
-- What stands in a table, to propose by.
select to_jsonb(seen) as found from (select * from {table} limit 500) as seen

-- name: enum_labels
-- The words of a column's type, where that lists them.
select pg_enum.enumlabel as label
from pg_attribute
inner join pg_enum on pg_attribute.atttypid = pg_enum.enumtypid
where pg_attribute.attrelid = %(oid)s::oid and pg_attribute.attname = %(column)s
order by pg_enum.enumsortorder

-- name: as_written
-- A name as people write it, in quotes where it needs them.
select quote_ident(%(name)s) as name

-- name: create_target
create table {table} (
    {id} {id_type} not null,
    {columns},
    extractor_model text,
    extractor_version text not null,
    created_at timestamptz default now(),
    primary key ({key})
);

create index on {table} (extractor_version);
