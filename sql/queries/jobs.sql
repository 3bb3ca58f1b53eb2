-- name: by_display_name
select * from backfill.slices
where slices.backfill = %(backfill)s and slices.display_name = any(%(display_names)s);

-- name: is_fresh
select slices.slice_id
from backfill.slices
where
    slices.slice_id = %(slice_id)s
    and slices.state = 'reserved'
    and slices.reserved_at = %(reserved_at)s
    and slices.reserved_at > clock_timestamp() - make_interval(secs => %(seconds)s);

-- name: is_reserved_for
select slices.slice_id
from backfill.slices
where
    slices.slice_id = %(slice_id)s
    and slices.state = 'reserved'
    and slices.reserved_at < clock_timestamp() - make_interval(secs => %(seconds)s);

-- name: age_of_job
select clock_timestamp() - slices.submitted_at as age
from backfill.slices
where slices.slice_id = %(slice_id)s and slices.job_name is not null;

-- name: ended_of
select slices.slice_id
from backfill.slices
where slices.slice_id = any(%(slice_ids)s) and slices.state not in ('planned', 'reserved', 'submitted');
