"""The emulator's memory: one SQLite file and a few directories that survive kill -9."""

import json
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

Row = dict[str, Any]
SQL = Path(__file__).parents[3] / "sql" / "emulator"
HEADING = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
DIRECTORIES = ("files", "uploads", "inputs", "outputs", "creates")
TABLES = (
    "settings",
    "files",
    "uploads",
    "jobs",
    "asks",
    "searches",
    "online",
    "calls",
    "events",
    "faults",
)
DEFAULTS: dict[str, Any] = {
    "run_seconds": 1.0,  # from PENDING to SUCCEEDED
    "trouble": 1.0,  # 1 is what the field saw, 0 is none
    "tier": None,  # 1, 2 or 3: the published limits on enqueued tokens
    "enqueued_tokens": None,  # overrides the tier's limit for every model
    "billing": True,  # else the key is a free one: every batch create answers 429
    "embedding_creates": None,  # so many embedding jobs in 20 minutes, the next is 429
    "max_active_jobs": 100,
    "refuse_excess_jobs": False,  # else the excess waits in PENDING
    "output_days": 42.0,  # after its end a job's output file can be had so long
    "storage_bytes": 20 * 1000**3,
    "requests_per_minute": None,  # online calls, on the emulator's clock
    "old_keys": [],  # keys that may use what is closed to new users; true is every key
    "clock_offset": 0.0,
}


@cache
def queries() -> dict[str, str]:
    """Return the named statements of queries.sql."""
    parts = HEADING.split((SQL / "queries.sql").read_text())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _named(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


class Store:
    """One process's door to the state under a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in DIRECTORIES:
            (directory / name).mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(
            directory / "emulator.db", isolation_level=None, timeout=60, check_same_thread=False
        )
        self.connection.row_factory = _named
        self.connection.execute("pragma journal_mode = wal")
        # A killed process loses nothing without fsync; only a dead machine would.
        self.connection.execute("pragma synchronous = off")
        self.connection.executescript((SQL / "schema.sql").read_text())

    def all(self, name: str, **values: object) -> list[Row]:
        """Return the rows of a named query."""
        return self.connection.execute(queries()[name], values).fetchall()

    def one(self, name: str, **values: object) -> Row | None:
        """Return the first row of a named query, or None."""
        row: Row | None = self.connection.execute(queries()[name], values).fetchone()
        return row

    def run(self, name: str, **values: object) -> int:
        """Execute a named statement and return how many rows it touched."""
        return self.connection.execute(queries()[name], values).rowcount

    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Execute a named statement once per row."""
        self.connection.executemany(queries()[name], rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside, or nothing."""
        self.connection.execute("begin immediate")
        how = "rollback"
        try:
            yield
            how = "commit"
        finally:
            self.connection.execute(how)

    def setting(self, name: str) -> Any:  # noqa: ANN401 - a setting is any JSON value
        """Return a setting's value."""
        row = self.one("setting", setting_name=name)
        return DEFAULTS[name] if row is None else json.loads(row["value"])

    def settings(self) -> dict[str, Any]:
        """Return every setting."""
        return DEFAULTS | {row["name"]: json.loads(row["value"]) for row in self.all("settings")}

    def put_setting(self, name: str, value: object) -> None:
        """Store a setting."""
        self.run("put_setting", setting_name=name, json_value=json.dumps(value))

    def now(self) -> float:
        """Return the emulator's time in seconds since 1970."""
        return time.time() + float(self.setting("clock_offset"))

    def path(self, kind: str, name: str) -> Path:
        """Return where a file of a kind lies."""
        return self.directory / kind / name

    def reset(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in TABLES:
                self.run(f"clear_{table}")
        for kind in DIRECTORIES:
            for path in (self.directory / kind).iterdir():
                path.unlink()
        (self.directory / "online.jsonl").unlink(missing_ok=True)

    def close(self) -> None:
        """Close the database."""
        self.connection.close()
