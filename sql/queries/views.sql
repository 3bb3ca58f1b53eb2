-- name: create_views
-- The names of the views that were made now: none, when all are there.
select backfill.create_views() as name;
