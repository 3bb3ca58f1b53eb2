-- name: where_am_i
select
    current_database() as database,
    current_user as role;
