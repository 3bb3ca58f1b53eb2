-- name: enter
select
    pg_advisory_xact_lock(%(key)s),
    set_config('idle_in_transaction_session_timeout', %(most)s, true);
