-- name: own_limits
-- Ours, until the transaction ends: what a role or database sets is meant for people's own queries. Waiting for a lock
-- ends with a sentence, everything else takes the time it takes. Of times we read what is written in ISO alone.
select
    set_config('DateStyle', 'ISO', true),
    set_config('IntervalStyle', 'postgres', true),
    set_config('statement_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true),
    set_config('lock_timeout', %(lock_timeout)s, true),
    case
        when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '0', true)
    end;

-- name: by_id
-- Rows are looked up by their ids. Of a table that fills up Postgres believes that hardly a row is of our version, and
-- would read all that are, slice after slice; `is true` keeps the version's own index out.
select
    set_config('enable_seqscan', 'off', true),
    set_config('enable_bitmapscan', 'off', true),
    set_config('jit', 'off', true);

-- name: by_hashing
-- Of tables that fill up Postgres believes that they are empty: loops planned so took 12 s for 10,000 rows, and four
-- times as long for twice as many.
select set_config('enable_nestloop', 'off', true);

-- name: as_it_likes
select
    set_config('enable_seqscan', 'on', true),
    set_config('enable_bitmapscan', 'on', true),
    set_config('enable_nestloop', 'on', true);

-- name: who_holds_locks
-- Sessions that have held something of a table for longer than a statement takes, the oldest first.
select
    sessions.pid,
    coalesce(nullif(sessions.application_name, ''), 'no name') as application,
    coalesce(sessions.usename, '?') as role,
    coalesce(sessions.state, '?') as state,
    string_agg(distinct pg_class.relname, ', ') as tables,
    extract(epoch from now() - min(sessions.xact_start))::int as seconds
from pg_stat_activity as sessions
inner join pg_locks on sessions.pid = pg_locks.pid and pg_locks.granted and pg_locks.locktype = 'relation'
inner join pg_class on pg_locks.relation = pg_class.oid and pg_class.relkind in ('r', 'p')
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid and pg_namespace.nspname !~ '^pg_'
where
    pg_locks.database = (select pg_database.oid from pg_database where pg_database.datname = current_database())
    and sessions.pid <> pg_backend_pid()
    and sessions.xact_start < now() - make_interval(secs => %(seconds)s)
group by sessions.pid, sessions.application_name, sessions.usename, sessions.state
order by seconds desc
limit 3;

-- name: may_write
-- What the database can hold, and whether anything may be written to it.
select
    current_database() as database,
    current_user as role,
    current_setting('server_encoding') as encoding,
    current_setting('transaction_read_only')::boolean as is_read_only,
    pg_is_in_recovery() as is_standby;

-- name: fence
-- Whoever would take one of these leases over waits until this transaction is over; its session can be found by name.
select
    leases.epoch,
    set_config('application_name', %(application)s, true)
from backfill.leases
where leases.epoch = any(%(epochs)s)
for key share;

-- name: holders
select
    leases.name,
    leases.holder
from backfill.leases
where leases.name = any(%(names)s);
