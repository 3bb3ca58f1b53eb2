-- name: is_there
-- And may be used: else preflight says what is missing.
select
    has_schema_privilege(pg_namespace.oid, 'usage')
    and has_table_privilege(pg_class.oid, 'insert')
    and has_table_privilege(pg_class.oid, 'update') as may_use
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where pg_namespace.nspname = 'backfill' and pg_class.relname = 'leases';

-- name: take_new
insert into backfill.leases (name, epoch, holder, machine, process_id, process_began, until)
values (
    %(name)s,
    %(epoch)s,
    %(holder)s,
    %(machine)s,
    %(process_id)s,
    %(process_began)s,
    clock_timestamp() + make_interval(secs => %(seconds)s)
)
on conflict (name) do nothing
returning leases.epoch;

-- name: look
select
    leases.*,
    leases.until > clock_timestamp() as is_live
from backfill.leases
where leases.name = %(name)s;

-- name: wait_shortly
select set_config('lock_timeout', %(wait)s, true);

-- name: lock
-- Waits for the transactions that the holder has begun under this epoch.
select leases.epoch
from backfill.leases
where leases.name = %(name)s and leases.epoch = %(old)s
for update;

-- name: take_over
-- Not from one that went on, and renewed its lease, while its transactions were waited for.
update backfill.leases
set
    epoch = %(epoch)s,
    holder = %(holder)s,
    machine = %(machine)s,
    process_id = %(process_id)s,
    process_began = %(process_began)s,
    until = clock_timestamp() + make_interval(secs => %(seconds)s)
where leases.name = %(name)s and leases.epoch = %(old)s and leases.until = %(ended)s
returning leases.epoch;

-- name: end_transactions
-- What a holder that stands still has begun is ended, so that its locks go; it was not committed.
select pg_terminate_backend(sessions.pid)
from pg_stat_activity as sessions
where
    sessions.datname = current_database()
    and sessions.usename = current_user
    and sessions.pid <> pg_backend_pid()
    and strpos(sessions.application_name, %(old)s) > 0
    and exists (
        select from backfill.leases
        where leases.name = %(name)s and leases.epoch = %(old)s and leases.until = %(ended)s
    );

-- name: renew
update backfill.leases
set until = clock_timestamp() + make_interval(secs => %(seconds)s)
where leases.epoch = any(%(epochs)s);

-- name: let_go
delete from backfill.leases
where leases.name = %(name)s and leases.epoch = %(epoch)s;

-- name: slices_at_work
-- Of one backfill, in whatever run and version: those that somebody may still write to.
select leases.*
from backfill.leases
inner join backfill.slices on leases.name = 'slice ' || slices.slice_id
where slices.backfill = %(backfill)s and leases.until > clock_timestamp()
order by leases.name;
