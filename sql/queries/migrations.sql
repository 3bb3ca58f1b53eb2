-- name: ledger_exists
select to_regclass('backfill.schema_migrations') is not null as present;

-- name: recorded
select
    name,
    sha256
from backfill.schema_migrations;

-- name: record
insert into backfill.schema_migrations (name, sha256)
values (%(name)s, %(sha256)s);
