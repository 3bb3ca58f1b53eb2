"""Some of a version's rows put before people: a page with their evidence, and a CSV to judge by."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.adapters import csv_files, measures, reviewed, tables
from tasks.adapters.allowed import allowed
from tasks.adapters.ledger import reviews
from tasks.adapters.ledger.reviews import Reviewed
from tasks.adapters.measures import EVIDENCE
from tasks.adapters.pages import dated, render, show
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import in_thread
from tasks.adapters.tables import Tables
from tasks.adapters.whole_files import unwritable
from tasks.core.comparing import quotes_of
from tasks.core.errors import PreflightError
from tasks.core.reviewing import RANDOM, cells, header
from tasks.reports.pictures import with_evidence
from tasks.slices.as_asked import by_version


class Wanted(NamedTuple):
    """How many targets, which share of them at random, and which ones by chance."""

    targets: int
    at_random: float
    seed: int


# Not a stage: see tasks/reports/quality.py.
async def sample(
    name: str, version: str | None, wanted: Wanted, csv_out: str, flow_run_id: str | None
) -> State:
    """Return a completed state that says what there is to judge, and where."""
    if wanted.targets < 1:
        raise PreflightError(f"targets is {wanted.targets}: review at least one, such as 20.")
    beside = dated(f"{name}-review", datetime.now(UTC), ".csv")
    file = allowed(csv_out, "csv_out") if csv_out else beside
    if why := unwritable(file):
        raise PreflightError(f"The rows cannot be written to {file}: {why}.")
    sentence, page = await in_thread(_sample)(name, version, wanted, file, flow_run_id)
    await show(name, "review", page, f"Rows of {name} to judge")
    return Completed(name="Sampled", message=sentence)


def _sample(
    name: str, version: str | None, wanted: Wanted, file: Path, flow_run_id: str | None
) -> tuple[str, str]:
    """Note the rows and write the CSV; return what was chosen, in a sentence and as a page."""
    with connect() as connection:
        backfill = by_version(connection, name, version).backfill
        here = tables.of(connection, backfill)
        tables.fix_texts(connection)
        at_random = round(wanted.targets * wanted.at_random)
        chosen = reviewed.choose(connection, here, wanted.targets, at_random, wanted.seed)
        if not chosen:
            raise PreflightError(
                f"No row of {backfill.extractor_version} of {name} stands that nobody has judged:"
                " run it, or name another extractor_version."
            )
        other = measures.other_version(connection, here)
        found = measures.rows_of(connection, here, list(chosen), other)
        count = _write(connection, here, chosen, found, file, flow_run_id)
        shown = with_evidence(connection, here, found)
    drawn = sum(RANDOM in each for each in chosen.values())
    sentence = (
        f"{count:,} rows of {len(chosen):,} targets of {backfill.extractor_version} of {name} are"
        f" to be judged, {drawn:,} targets drawn at random and {len(chosen) - drawn:,} for their"
        f" doubt: fill in {file} and run review/verdicts with it."
    )
    for each, why in zip(shown, chosen.values(), strict=True):
        each["chosen"] = "; ".join(why)
    return sentence, render(
        "sample.md",
        title=f"Review: {backfill.title}",
        lead=sentence,
        sample=shown,
        other=other,
    )


def _write(  # noqa: PLR0913, PLR0917 - what is written, and where
    connection: Connection,
    here: Tables,
    chosen: dict[str, list[str]],
    found: Sequence[dict[str, Any]],
    file: Path,
    flow_run_id: str | None,
) -> int:
    """Note each row in the ledger and write it to the CSV as a line; return how many."""
    columns = list(reviewed.columns(here))
    evidence = here.column_name(EVIDENCE)
    rows = [(each["target_id"], row) for each in found for row in each["found"]]
    noted = [
        Reviewed(target_id, {name: row.get(name) for name in columns}, chosen[target_id])
        for target_id, row in rows
    ]
    ids = reviews.add(connection, here.backfill, noted, flow_run_id)
    lines = (
        cells(
            review_id,
            *each[:1],
            columns,
            each.found,
            quotes_of({EVIDENCE: row.get(evidence)}),
            each.chosen,
        )
        for review_id, each, (_, row) in zip(ids, noted, rows, strict=True)
    )
    return csv_files.replace(file, header(columns), lines)
