-- name: kind
-- One row where the table exists: whether it holds sample data, by the comment on it.
select
    starts_with(
        coalesce(obj_description(found.place, 'pg_class'), ''), 'Sample data of the embedded stack'
    ) as is_sample
from (select to_regclass(%(table)s) as place) as found
where found.place is not null;
