"""Sample data for the embedded stack: the users' tables with rows in them, and a file of songs."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deployments.local.errors import StackError
from deployments.local.sample_code import chunks
from deployments.local.sample_jobs import jobs
from deployments.local.sample_passages import passages
from deployments.local.sample_songs import HEADER, songs
from deployments.local.stack import Stack
from tasks.adapters.postgres import Connection, connect, statements

PASSAGES, CHUNKS, SONGS = 300, 200, 300
ADVERTS, PLACEHOLDERS = 117, 116
SAMPLES = statements("demo/samples.sql")


@dataclass(frozen=True)
class Sample:
    """One of the users' tables: the file of its statements, and the rows that it gets."""

    table: str
    file: str
    insert: str
    rows: Iterable[Mapping[str, object]]
    after: tuple[str, ...] = ()

    def load(self, connection: Connection) -> None:
        """Make the table where there is none, say on it what it is, and fill in missing rows."""
        sql = statements(self.file)
        connection.execute(sql["create_tables"])
        connection.execute(sql["mark_as_samples"])
        connection.cursor().executemany(sql[self.insert], self.rows)
        for name in self.after:
            connection.execute(sql[name])


def load(stack: Stack) -> list[str]:
    """Fill the embedded database with what is not there yet; return what was, in words.

    A table that exists is left alone, whoever made it; so is a database of the user's own.
    """
    url = stack.addresses().database_url
    if url is None:
        return []
    place = stack.home / "samples"
    with connect(url) as connection:
        absent = [each for each in _samples(PASSAGES) if _kind(connection, each.table) is None]
        for sample in absent:
            sample.load(connection)
    written = write_songs(place)
    return [*(each.table for each in absent), *([str(written)] if written else [])]


def load_all(stack: Stack, passages: int) -> None:
    """Fill the embedded database with everything that the demo works on.

    Raises:
        StackError: when the user brings a database, or a table there is not of our making.
    """
    url = stack.addresses().database_url
    if url is None:
        message = "The demo makes tables and fills them: unset BACKFILL_DATABASE_URL to run it."
        raise StackError(message)
    with connect(url) as connection:
        for sample in _samples(passages):
            if _kind(connection, sample.table) is False:
                raise StackError(_not_ours(sample.table))
            sample.load(connection)
    write_songs(stack.home / "samples")


def write_songs(place: Path) -> Path | None:
    """Write `songs.csv` and return its path; None where it lies already."""
    target, partial = place / "songs.csv", place / "songs.csv.part"
    if target.exists():
        return None
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(songs(SONGS))
    return partial.rename(target)


def _samples(size: int) -> tuple[Sample, ...]:
    texts = ({"passage_id": key, "passage_text": text} for key, text in passages(size))
    return (
        Sample(
            "passages",
            "demo/passages.sql",
            "insert_passage",
            texts,
            ("lay_out", "plant_legacy_rows"),
        ),
        Sample(
            "code_chunks",
            "demo/code_chunks.sql",
            "insert_target",
            chunks(CHUNKS),
            ("plant_legacy_rows",),
        ),
        Sample("jobs_enriched", "demo/jobs.sql", "insert_target", jobs(ADVERTS, PLACEHOLDERS)),
    )


def _kind(connection: Connection, table: str) -> bool | None:
    """Return whether a table holds samples, or None when there is no such table."""
    row = connection.execute(SAMPLES["kind"], {"table": table}).fetchone()
    return None if row is None else bool(row["is_sample"])


def _not_ours(table: str) -> str:
    return (
        f"Table {table} of the embedded database was not made for the demo: rename it, or begin"
        " anew with `make down` and `rm -r .local`."
    )
