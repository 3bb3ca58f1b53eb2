"""Before anything: is everything there that the run needs? All problems are named at once."""

from pathlib import Path

import psycopg
from prefect import get_run_logger
from prefect.settings import get_current_settings

from tasks import backfills
from tasks.adapters import csv_rows, telemetry, views
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import promotions, rollbacks, versions
from tasks.adapters.migrations import pending_migrations
from tasks.adapters.postgres import Connection, connect, statements, writable
from tasks.adapters.reference import models, today
from tasks.adapters.room import enqueued_tokens
from tasks.adapters.settings import settings
from tasks.adapters.stages import stage
from tasks.adapters.whole_files import unwritable
from tasks.adapters.workspace import free_bytes
from tasks.core.backfill import Backfill
from tasks.core.errors import BackfillError, ModelApiError, PreflightError
from tasks.core.places import CsvRows
from tasks.planning.tables_fit import Fit, fit
from tasks.slices.requests import meaning, question_digest

_SQL = statements("queries/preflight.sql")


@stage("preflight {name}")
def preflight(name: str, csv_in: str = "", csv_out: str = "") -> None:
    """Raise PreflightError with every problem that would stop the run, or return nothing."""
    backfill = backfills.get(name)
    found = look(backfill)
    for note in found.notes:
        get_run_logger().warning(note)
    problems = [*found.problems, *_output_problems(backfill, csv_out)]
    if problems := problems or _replaced_problems(backfill, csv_in, csv_out):
        raise PreflightError("\n".join(problems))


def look(backfill: Backfill) -> Fit:
    """Return one sentence for each thing that would stop a run, and for what is worth knowing."""
    found = _database_problems(backfill)
    problems = [*_site_problems(backfill), *_model_problems(backfill), *_place_problems()]
    return Fit(
        list(dict.fromkeys([*problems, *found.problems])), [*found.notes, *_tier_notes(backfill)]
    )


def _site_problems(backfill: Backfill) -> list[str]:
    """Return what is wrong with what the site says of the question."""
    try:
        question_digest(backfill)
    except BackfillError as error:
        return [str(error)]
    return []


def _place_problems() -> list[str]:
    """Return what is wrong with this machine's disk, and with where it reports to."""
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
    reports = here.reports_dir / "report"
    if why := unwritable(reports):
        problems.append(
            f"Nothing can be written to {here.reports_dir} ({why}): set BACKFILL_REPORTS_DIR."
        )
    results = get_current_settings().results
    if not results.default_storage_block and (why := unwritable(results.local_storage_path / "r")):
        problems.append(
            f"Prefect cannot keep results in {results.local_storage_path} ({why}): set"
            " PREFECT_RESULTS_LOCAL_STORAGE_PATH."
        )
    if said := telemetry.problem():
        problems.append(said)
    return problems


def _output_problems(backfill: Backfill, csv_out: str) -> list[str]:
    """Return what is against writing the file with the answers, before they are paid for."""
    if not csv_out:
        return []
    if not isinstance(backfill.source, CsvRows):
        return [f"{backfill.name} writes into tables: leave csv_out empty."]
    if why := unwritable(Path(csv_out)):
        return [f"csv_out cannot be written to {csv_out}: {why}."]
    return []


def _replaced_problems(backfill: Backfill, csv_in: str, csv_out: str) -> list[str]:
    """Return one sentence where what goes out would replace another file that came in."""
    if not csv_out or csv_rows.key(Path(csv_in)) == csv_rows.key(Path(csv_out)):
        return []
    with connect() as connection:
        came_in = csv_rows.is_input(connection, backfill, Path(csv_out))
    sentence = (
        f"csv_out names {csv_out}, whose own rows came in once and would be replaced: name another"
        " file, or give it as csv_in too."
    )
    return [sentence] if came_in else []


def _model_problems(backfill: Backfill) -> list[str]:
    return [problem for model in backfill.models for problem in _problems_of(model)]


def _problems_of(model: str) -> list[str]:
    problems = []
    try:
        models().living(model, today())
    except BackfillError as error:
        problems.append(str(error))
    if settings().tier and enqueued_tokens(model) is None:
        problems.append(
            f"tasks/models.toml does not know how many tokens of '{model}' may wait in batch jobs:"
            " set BACKFILL_ENQUEUED_TOKENS to what AI Studio says, or take BACKFILL_TIER away."
        )
    try:
        gemini().check_model(model)
    except ModelApiError as error:
        problems.append(f"Model '{model}' cannot be used: {error}")
    except BackfillError as error:
        problems.append(str(error))
    return problems


def _tier_notes(backfill: Backfill) -> list[str]:
    """Say where a limit on waiting tokens is a relative's, because Google shows it nowhere else."""
    here = settings()
    if not here.tier or here.enqueued_tokens:
        return []
    return [
        f"{enqueued_tokens(model):,} tokens are taken to be what may wait for {model} at tier"
        f" {here.tier}, as for {models().find(model).enqueued_as}: AI Studio shows the real number,"
        " and BACKFILL_ENQUEUED_TOKENS says it."
        for model in backfill.models
        if model in models().models and models().enqueued(model)[1]
    ]


def _database_problems(backfill: Backfill) -> Fit:
    try:
        with connect() as connection:
            if said := writable(connection):
                return Fit(said)
            found = _schema_problems(connection, backfill)
            if not found.problems:
                asked = versions.as_travelling(connection, backfill)
                versions.claim(connection, asked, question_digest(asked), meaning(asked))
                views.create_on(connection, backfill)
                found.notes += _other_promoted(connection, backfill)
    except BackfillError as error:
        return Fit([str(error)])
    except psycopg.errors.InsufficientPrivilege as error:
        return Fit([_no_rights_to_ledger(error)])
    return found


def _other_promoted(connection: Connection, backfill: Backfill) -> list[str]:
    promoted, version = promotions.promoted(connection, backfill.name), backfill.extractor_version
    if promoted in (None, version):
        return []
    said = (
        f"Readers get {promoted}, which a person promoted, and this run asks under {version}: run"
        " promote/version to let them have it, or name the other one in the site file."
    )
    return [said]


def _no_rights_to_ledger(error: psycopg.Error) -> str:
    with connect() as connection:
        place = connection.execute(_SQL["where_am_i"]).fetchone() or {}
    role = place["role"]
    return (
        f"User '{role}' may not use the ledger ({error.diag.message_primary}):"
        f" grant usage on schema backfill to {role};"
        f" grant all on all tables in schema backfill to {role};"
    )


def _schema_problems(connection: Connection, backfill: Backfill) -> Fit:
    if missing := pending_migrations(connection):
        sentence = (
            f"The ledger's schema is old or absent ({', '.join(missing)} not applied):"
            " run `make deploy`, which brings it up to date."
        )
        return Fit([sentence])
    found = fit(connection, backfill)
    found.problems += _unfinished_rollback(connection, backfill)
    return found


def _unfinished_rollback(connection: Connection, backfill: Backfill) -> list[str]:
    if not rollbacks.is_unfinished(connection, backfill):
        return []
    sentence = (
        f"A rollback of {backfill.extractor_version} was begun and did not end:"
        " run rollback/written again (with dry_run off) before anything new is asked."
    )
    return [sentence]
