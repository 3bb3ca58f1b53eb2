"""A backfill's CSV files into the ledger, and out of it again with what was generated."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tasks.adapters import csv_files
from tasks.adapters.catalog import nearest
from tasks.adapters.csv_dialects import Dialect
from tasks.adapters.ledger import promotions
from tasks.adapters.postgres import Connection, Row, statements
from tasks.adapters.values import json_text, storable
from tasks.core import csv_cells
from tasks.core.backfill import Backfill
from tasks.core.csv_cells import ANSWERED, MESSAGE, STATUS, UNANSWERED
from tasks.core.errors import PreflightError
from tasks.core.example import columns_of
from tasks.core.identity import content_hash
from tasks.core.places import CsvColumns, CsvRows
from tasks.core.template import Template, parse
from tasks.core.unseen import is_blank

_SQL = statements("engine/csv.sql")
_SHOWN_AT_ONCE = 50_000
"""Rows that are remembered together; so many are held in memory."""

_ROWS_AT_ONCE = 5_000


class Brought(NamedTuple):
    """How many rows came in from a file, and how it was read, in words."""

    rows: int
    how: str


def bring_in(connection: Connection, backfill: Backfill, path: Path) -> Brought:
    """Let the ledger hold exactly the file's rows beside those of other files; return how many.

    Answers are kept apart, by the targets' ids: a file that is brought in again loses none. Raises
    PreflightError with one sentence for a file that is not what the declaration says.
    """
    file = key(path)
    with csv_files.reading(path) as (dialect, header, records):
        shape = _Shape.of(backfill, path, header)
        values = {"backfill": backfill.name, "file": file}
        connection.execute(_SQL["forget_file"], values)
        told = {"header": header, "asked_as": backfill.source.text, **dialect.as_row()}
        connection.execute(_SQL["record_file"], {**values, **told})
        count = 0
        with connection.cursor().copy(_SQL["copy_rows"]) as copy:
            for count, record in enumerate(records, start=1):
                padded = csv_cells.padded(record, header)
                cells = csv_files.fitted(path, count + 1, padded, len(header))
                copy.write_row((backfill.name, file, count, cells, *shape.row(cells)))
    if not count:
        raise PreflightError(f"{path} has a header, but no rows: give a file with rows.")
    prefix = _prefix(backfill)
    corrections = {
        "status": prefix + STATUS,
        "message": prefix + MESSAGE,
        "answered": [*ANSWERED],
        "unanswered": [*UNANSWERED],
    }
    connection.execute(_SQL["keep_corrections"], {**values, **corrections})
    return Brought(count, "; ".join([dialect.words, *shape.taken(header)]))


def take_out(connection: Connection, backfill: Backfill, file: str | None, path: Path) -> int:
    """Write every row of a file, or of all files one after the other, with what is there for it.

    Returns how many rows; commits, because what goes out is remembered before anybody can see it.
    The dialect is the first file's; columns that only some files have are
    empty in the rows of the others.
    """
    values = {"backfill": backfill.name, "file": file}
    files = connection.execute(_SQL["files"], values).fetchall()
    if not files:
        raise PreflightError(f"{backfill.name} has no rows to put out: give csv_in first.")
    generated = _generated(backfill)
    header = _merged([each["header"] for each in files], generated)
    dialect = Dialect.kept(files[0])

    def write(dialect: Dialect) -> int:
        with closing(_rows_out(connection, backfill, files, header)) as rows:
            return csv_files.replace(path, header, rows, dialect)

    try:
        return write(dialect)
    except UnicodeEncodeError:  # an answer, or another file, has letters that this one has not
        return write(dialect.for_any_letter)


def is_input(connection: Connection, backfill: Backfill, path: Path) -> bool:
    """Return whether a file is there whose own rows came in."""
    values = {"backfill": backfill.name, "file": key(path)}
    return path.exists() and bool(connection.execute(_SQL["files"], values).fetchone())


def key(path: Path) -> str:
    """Return what a file's rows go by in the ledger."""
    return str(path.absolute())


def asked_otherwise(connection: Connection, backfill: Backfill, file: str | None) -> str | None:
    """Return a sentence about files in scope of which other questions were made, or None."""
    values = {"backfill": backfill.name, "file": file, "asked_as": backfill.source.text}
    row = connection.execute(_SQL["asked_otherwise"], values).fetchone() or {}
    if not row.get("files"):
        return None
    return (
        f"{row['files']:,} files came in when source.text in [{backfill.name}] was another"
        f" ({row['example']}, …): their rows are not asked; give each as csv_in again."
    )


def doubled(connection: Connection, backfill: Backfill, file: str | None) -> str | None:
    """Return a sentence about ids that stand for several questions, or None."""
    values = {"backfill": backfill.name, "file": file}
    row = connection.execute(_SQL["ids_with_several_questions"], values).fetchone() or {}
    if not row.get("ids"):
        return None
    return (
        f"{row['ids']:,} ids stand in rows that ask different things ({row['example']}, …): only"
        " one question of each is asked. Mend the ids, or leave source.id away: then rows go by"
        " what they ask."
    )


@dataclass(frozen=True)
class _Shape:
    """What a file's header makes of its records."""

    text: Template
    label: Template | None
    id_at: int | None
    places: Mapping[str, int]
    ours: Mapping[str, int]

    @classmethod
    def of(cls, backfill: Backfill, path: Path, header: Sequence[str]) -> "_Shape":
        source = backfill.source
        if not isinstance(source, CsvRows):
            raise PreflightError(
                f"{backfill.name} takes its rows from tables: leave csv_in and csv_out empty."
            )
        text = parse(source.text)
        label = parse(source.name) if source.name else None
        named = [(name, "source.text") for name in text.columns]
        named += [(name, "source.name") for name in (label.columns if label else ())]
        named += [(source.id, "source.id")] if source.id else []
        places = {name: _place(path, header, name, line, backfill.name) for name, line in named}
        ours = {name: header.index(name) for name in _generated(backfill) if name in header}
        return cls(
            text,
            label,
            places[source.id] if source.id else None,
            places,
            ours,
        )

    def taken(self, header: Sequence[str]) -> list[str]:
        """Return which columns were taken although they are written in another way."""
        found = [(header[at], name) for name, at in self.places.items()]
        return [f"{theirs!r} taken for {name}" for theirs, name in found if theirs != name]

    def row(self, cells: Sequence[str]) -> tuple[object, ...]:
        """Return target_id, content, is_blank, lengths, label and given of a record."""
        values = {name: storable(cells[at]) for name, at in self.places.items()}
        content = self.text.render(values)
        asked = [values[name] for name in self.text.columns]
        named = cells[self.id_at] if self.id_at is not None else ""
        given = {name: cells[at] for name, at in self.ours.items() if cells[at]}
        return (
            csv_cells.target_id(named, str(content_hash(content))),
            content,
            all(map(is_blank, asked)),
            None if self.text.is_plain else [len(value) for value in asked],
            self.label.render(values) if self.label else content,
            json_text(given) if given else None,
        )


def _place(path: Path, header: Sequence[str], name: str, line: str, section: str) -> int:
    """Return where a column is that the site names; raise one sentence if nowhere, or twice."""
    places = csv_cells.columns_named(name, header)
    if len(places) > 1:
        raise PreflightError(
            f"{path} has {len(places)} columns {name}: rename all but one, because {line} in"
            f" [{section}] asks for it."
        )
    if not places:
        # Nothing else of a file is said: it may be another one than its name says.
        near = nearest(name, (each for each in header if len(each) < 2 * len(name) + 8))
        raise PreflightError(
            f"{path} has no column {name}; "
            + (f"it has {near!r}" if near else f"none of its {len(header)} is like it")
            + f": set {line} in [{section}] of backfills.toml."
        )
    return places[0]


def _rows_out(
    connection: Connection,
    backfill: Backfill,
    files: Sequence[Row],
    header: Sequence[str],
) -> Generator[list[str]]:
    shown: list[tuple[str, str, str]] = []
    generated, prefix = _generated(backfill), _prefix(backfill)
    for file in files:
        places = _places(file["header"], header)
        values = {
            "backfill": backfill.name,
            "file": file["file"],
            "extractor_version": promotions.readers_version(connection, backfill),
        }
        with connection.cursor(name="rows_out") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(_SQL["rows_out"], values)
            for row in cursor:
                record = [""] * len(header)
                for at, cell in zip(places, row["cells"], strict=True):
                    record[at] = cell
                # A row that came in with its answer goes out as it is, not mixed with another one.
                ours = (
                    {}
                    if row["is_done"]
                    else csv_cells.filled(row, prefix, generated, backfill.formulas)
                )
                shown += [(row["target_id"], name, cell) for name, cell in ours.items() if cell]
                if len(shown) >= _SHOWN_AT_ONCE:
                    _record_shown(connection, backfill, shown)
                for name, cell in {**ours, **(row["kept"] or {})}.items():
                    record[header.index(name)] = cell
                yield record
    _record_shown(connection, backfill, shown)
    connection.commit()


def _record_shown(
    connection: Connection, backfill: Backfill, shown: list[tuple[str, str, str]]
) -> None:
    """Remember what was put out, so that it is known again when it comes back in a file."""
    connection.execute(_SQL["stage_shown"])
    connection.execute(_SQL["forget_staged"])
    with connection.cursor().copy(_SQL["copy_shown"]) as copy:
        for each in shown:
            copy.write_row(each)
    connection.execute(_SQL["record_shown"], {"backfill": backfill.name})
    shown.clear()


def _merged(headers: Sequence[Sequence[str]], generated: Sequence[str]) -> list[str]:
    """Return the first header, what others have besides, and what we fill that none has."""
    merged = list(headers[0])
    for header in headers[1:]:
        merged += (Counter(header) - Counter(merged)).elements()
    return merged + [name for name in generated if name not in merged]


def _places(header: Sequence[str], merged: Sequence[str]) -> list[int]:
    """Return where each of a file's columns goes; of columns with one name each has its own."""
    taken: Counter[str] = Counter()
    places = []
    for name in header:
        found = [at for at, each in enumerate(merged) if each == name]
        places.append(found[taken[name]])
        taken[name] += 1
    return places


def _generated(backfill: Backfill) -> list[str]:
    """Return the columns that go out besides the file's own, in their order."""
    prefix = _prefix(backfill)
    named = [name for name in columns_of(backfill) if not name.startswith("_") and name != STATUS]
    return [prefix + name for name in (STATUS, MESSAGE, *named)]


def _prefix(backfill: Backfill) -> str:
    target = backfill.target
    return target.prefix if isinstance(target, CsvColumns) else ""
