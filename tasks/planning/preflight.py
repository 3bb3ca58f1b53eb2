"""Before anything: is everything there that the run needs? All problems are named at once."""

import asyncio
from datetime import UTC, datetime

import psycopg
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks import backfills
from tasks.adapters import migrations, queries, views
from tasks.adapters.database import Connection, connect
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import rollbacks, runs
from tasks.adapters.price_list import prices
from tasks.adapters.settings import settings
from tasks.adapters.tiers import enqueued_tokens
from tasks.adapters.workspace import free_bytes
from tasks.core.backfill import Backfill, Table
from tasks.core.errors import BackfillError, ModelApiError, PreflightError
from tasks.slices.requests import version_digest

_SQL = queries.load("queries/preflight.sql")
CHECKPOINT_TABLE = Table(
    "kb_migrations",
    ("job_name", "cursor_position", "cursor_type", "updated_at", "status", "items_processed"),
    ("select", "insert", "update"),
)


@task(task_run_name="preflight {name}", cache_policy=NO_CACHE)
async def preflight(name: str) -> None:
    """Raise PreflightError with every problem that would stop the run, or return nothing."""
    problems = await asyncio.to_thread(find_problems, backfills.get(name))
    if problems:
        raise PreflightError("\n".join(problems))


def find_problems(backfill: Backfill) -> list[str]:
    """Return one sentence for each thing that would stop a run."""
    return [*_model_problems(backfill), *_place_problems(), *_database_problems(backfill)]


def _place_problems() -> list[str]:
    """Return what is wrong with this machine's disk."""
    here = settings()
    problems = []
    free = free_bytes(here.work_dir)
    if free is None:
        problems.append(f"Nothing can be written to {here.work_dir}: set BACKFILL_WORK_DIR.")
    elif free < here.least_disk_bytes:
        problems.append(
            f"Only {free / 1e9:.1f} GB are free in {here.work_dir}, where request and response"
            f" files go; {here.least_disk_bytes / 1e9:.1f} GB are wanted (BACKFILL_WORK_DIR says"
            " where, BACKFILL_LEAST_DISK_BYTES how much)."
        )
    return problems


def _model_problems(backfill: Backfill) -> list[str]:
    return [problem for model in backfill.models for problem in _problems_of(model)]


def _problems_of(model: str) -> list[str]:
    problems = []
    try:
        prices().price(model, datetime.now(UTC).date())
    except BackfillError as error:
        problems.append(str(error))
    if settings().tier and enqueued_tokens(model) is None:
        problems.append(
            f"tasks/tiers.toml does not know how many tokens of '{model}' may wait in batch jobs:"
            " set BACKFILL_ENQUEUED_TOKENS to what AI Studio says, or take BACKFILL_TIER away."
        )
    try:
        gemini().check_model(model)
    except ModelApiError as error:
        problems.append(f"Model '{model}' cannot be used: {error}")
    except BackfillError as error:
        problems.append(str(error))
    return problems


def _database_problems(backfill: Backfill) -> list[str]:
    try:
        with connect() as connection:
            problems = _schema_problems(connection, backfill)
            if not problems:
                runs.claim_version(connection, backfill, version_digest(backfill.name))
                views.create_on(connection)
    except BackfillError as error:
        return [str(error)]
    except psycopg.errors.InsufficientPrivilege as error:
        return [_no_rights_to_ledger(error)]
    return problems


def _no_rights_to_ledger(error: psycopg.Error) -> str:
    with connect() as connection:
        place = connection.execute(_SQL["where_am_i"]).fetchone() or {}
    role = place["role"]
    return (
        f"User '{role}' may not use the ledger ({error.diag.message_primary}):"
        f" grant usage on schema backfill to {role};"
        f" grant all on all tables in schema backfill to {role};"
    )


def _schema_problems(connection: Connection, backfill: Backfill) -> list[str]:
    if missing := migrations.pending(connection):
        sentence = (
            f"The ledger's schema is old or absent ({', '.join(missing)} not applied):"
            " run `prefect deploy --all`, which brings it up to date."
        )
        return [sentence]
    tables = (*backfill.tables, CHECKPOINT_TABLE)
    rows = connection.execute(_SQL["needs"], _needs(tables)).fetchall()
    place = connection.execute(_SQL["where_am_i"]).fetchone() or {}
    missing = [
        f"Database '{place['database']}' lacks {row['missing']} {_of(row)} for user"
        f" '{place['role']}': create it, or point BACKFILL_DATABASE_URL at another database."
        for row in rows
    ]
    return [
        *missing,
        *_unfinished_rollback(connection, backfill),
        *sample_problem(connection, backfill),
    ]


def sample_problem(connection: Connection, backfill: Backfill) -> list[str]:
    """Return a sentence for each table of sample data that would be asked of the real service."""
    if settings().gemini_url:
        return []
    names = [table.name for table in backfill.tables]
    rows = connection.execute(_SQL["sample_tables"], {"tables": names}).fetchall()
    return [
        f"Table {row['table_name']} holds sample data, and your key would pay for its answers:"
        " point BACKFILL_DATABASE_URL at your own database, or unset GEMINI_API_KEY and `make up`"
        " again to have the emulator answer; if the rows are yours by now,"
        f" `comment on table {row['table_name']} is null;` says so."
        for row in rows
    ]


def _unfinished_rollback(connection: Connection, backfill: Backfill) -> list[str]:
    if not rollbacks.is_unfinished(connection, backfill):
        return []
    sentence = (
        f"A rollback of {backfill.extractor_version} was begun and did not end:"
        " run rollback/version again (with dry_run off) before anything new is asked."
    )
    return [sentence]


def _of(row: dict[str, str]) -> str:
    return row["table_name"] if row["missing"] == "table" else f"of table {row['table_name']}"


def _needs(tables: tuple[Table, ...]) -> dict[str, list[str | None]]:
    columns = [(table.name, column, None) for table in tables for column in table.columns]
    rights = [(table.name, None, right) for table in tables for right in table.rights]
    needs: list[tuple[str, str | None, str | None]] = [*columns, *rights]
    return {
        "tables": [need[0] for need in needs],
        "columns": [need[1] for need in needs],
        "rights": [need[2] for need in needs],
    }
