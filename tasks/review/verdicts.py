"""What people said of rows, taken back in: the gold set, and corrected values in the user's table.

A file is taken as a whole or not at all. A corrected row differs from what was written, so it
counts as edited: no run, restore, reread or redrive writes over it unless a person says so.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psycopg
from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import csv_files, refusals, reviewed, rows, tables
from tasks.adapters.allowed import allowed
from tasks.adapters.ledger import reviews
from tasks.adapters.ledger.reviews import Known
from tasks.adapters.postgres import Connection, Row, connect
from tasks.adapters.stages import stage
from tasks.adapters.tables import Tables
from tasks.core.errors import PreflightError
from tasks.core.example import vocabularies
from tasks.core.reviewing import Line, LineError, Verdict, as_value, checked, line, refused
from tasks.undo.rollback import subject

AGAIN = "said before"


@stage("take verdicts of {name}")
def take_verdicts(name: str, csv_in: str) -> State:
    """Return the state that says what was taken; raise what is wrong, with nothing taken."""
    if not csv_in.strip():
        raise PreflightError("csv_in is empty: name the file that review/sample wrote.")
    file = allowed(csv_in.strip(), "csv_in")
    with connect() as connection:
        taken = _Taking(connection, name, file).take()
        judged = reviews.judged(connection, name)
    counted = ", ".join(f"{count:,} {what}" for what, count in taken.items()) or "no verdicts"
    message = f"{file}: {counted}. " + " ".join(each.sentence() for each in judged)
    get_run_logger().info(message)
    return Completed(name="Taken", message=message.strip())


class _Taking:
    """One file on its way into the ledger and the user's table."""

    def __init__(self, connection: Connection, name: str, file: Path) -> None:
        self._connection = connection
        self._name = name
        self._file = file
        self._records = 0
        self._faults: list[tuple[int, str]] = []
        self._taken: Counter[str] = Counter()
        self._tables: dict[str, Tables] = {}

    def take(self) -> Mapping[str, int]:
        """Take every verdict; return how many of each. Raises PreflightError for all bad lines."""
        lines = self._read()
        known = reviews.known(self._connection, self._name, lines)
        targets = reviews.sampled(self._connection, self._name, lines)
        rows.speak_at_once(self._connection)
        tables.fix_texts(self._connection)
        for each in lines:
            try:
                with self._connection.transaction():
                    said = self._one(each, known, targets)
            except LineError as error:
                self._faults.append((each.record, str(error)))
            else:
                self._taken[said] += 1
        if self._faults:
            faults = refused(str(self._file), self._records, sorted(self._faults))
            raise PreflightError(" ".join(faults))
        return self._taken

    def _read(self) -> list[Line]:
        """Return the lines with a verdict, and note those that cannot be read."""
        here = tables.of(self._connection, backfills.get(self._name))
        columns, words = reviewed.columns(here), vocabularies(here.backfill)
        closed = {name: words[of] for name, of in columns.items() if of in words}
        found: dict[object, Line] = {}
        with csv_files.reading(self._file) as (_, header, records):
            checked(str(self._file), header, list(columns))
            for self._records, record in enumerate(records, 1):
                try:
                    if each := line(self._records, header, record, closed):
                        key = each.review_id or f"record {each.record}"
                        if key in found:
                            raise LineError(f"record {found[key].record} is of the same row")  # noqa: TRY301
                        found[key] = each
                except LineError as error:
                    self._faults.append((self._records, str(error)))
        return list(found.values())

    def _one(self, each: Line, known: Mapping[int, Known], targets: Mapping[str, Row]) -> str:
        """Take one verdict; return what was taken. Raises LineError."""
        if each.verdict is Verdict.MISSING:
            if each.target_id not in targets:
                raise LineError(f"no row of '{each.target_id}' was ever sampled")
            is_new = reviews.miss(self._connection, self._name, each, targets[each.target_id])
            return each.verdict if is_new else AGAIN
        of = known.get(each.review_id or 0)
        if of is None or of.target_id != each.target_id:
            raise LineError(
                f"review {each.review_id} is not of a row of '{each.target_id}' of {self._name}"
            )
        found = of.found or {}
        values = {name: as_value(cell, found.get(name)) for name, cell in each.corrected.items()}
        corrected = values or None
        if of.says(each, corrected):
            return AGAIN
        if corrected:
            self._correct(of, found, corrected)
        reviews.judge(self._connection, each, corrected)
        return f"{each.verdict} and corrected" if corrected else each.verdict

    def _correct(self, of: Known, found: Row, corrected: Row) -> None:
        version = of.extractor_version
        if version not in self._tables:
            here = tables.of(self._connection, subject(self._name, version))
            self._tables[version] = here
        here = self._tables[version]
        try:
            stands = reviewed.is_corrected(self._connection, here, of.target_id, found, corrected)
        except psycopg.Error as error:
            if not refusals.is_of_a_row(error):
                raise
            why = refusals.refusal(error, here, [corrected]).sentence
            raise LineError(
                f"{here.target.table_name} does not take its correction: {why}"
            ) from None
        if not stands:
            raise LineError("its row is gone or has changed since it was sampled: sample it again")
