-- name: name_holder
select set_config('application_name', %(holder)s, false);

-- name: try_lock
select pg_try_advisory_lock(%(key)s) as locked;

-- name: lock
select pg_advisory_lock(%(key)s);

-- name: holder
-- A 64-bit advisory key stands in pg_locks as two halves.
select pg_stat_activity.application_name as holder
from pg_locks
inner join pg_stat_activity on pg_locks.pid = pg_stat_activity.pid
where
    pg_locks.locktype = 'advisory'
    and pg_locks.granted
    and pg_locks.objsubid = 1
    and pg_locks.database = (select pg_database.oid from pg_database where pg_database.datname = current_database())
    and (pg_locks.classid::bigint << 32) | pg_locks.objid::bigint = %(key)s;

-- name: unlock
select pg_advisory_unlock(%(key)s);

-- name: is_alive
select 1 as one;

-- name: notice_a_lost_machine
-- A machine that lost its power does not close its connection: Postgres asks after it, for a minute.
select
    set_config('tcp_keepalives_idle', '30', false),
    set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '3', false);
