"""What an audit finds, and when it finds it: claims beside measurements."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from tasks.core.backfill import Backfill
from tasks.core.identity import written

COMPLETE = 0.999
"""From this share of targets with an end on, a job may call itself complete."""

SAYS_COMPLETE = frozenset({"completed", "complete", "done", "finished", "success", "succeeded"})
SAYS_RUNNING = frozenset({"running", "in_progress", "in progress", "started", "active"})
STORAGE_BYTES = 20 * 1000**3
"""What the Files API holds per project, free of charge, for 48 hours (Files API guide)."""

_LITERAL = re.compile("'(?:[^']|'')*'")
_COMPARED = re.compile(r'("(?:[^"]|"")+"|\w+)\)?(?:::[\w ]+(?:\(\d+\))?)?\)? = ')


class Worth(StrEnum):
    """What a checkpoint's claim is worth."""

    TRUE = "true"
    NOT_COMPLETE = "not complete"
    STANDS_STILL = "stands still"
    BEYOND_DATA = "beyond the data"
    COUNTS_TOO_MUCH = "counts too much"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A row of kb_migrations, as it stands."""

    job_name: str
    cursor_position: str | None
    cursor_type: str | None
    updated_at: datetime | None
    status: str | None
    items_processed: int | None
    says_waiting: bool = False
    """In its notes, where the table takes no such status."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the tables say about the backfill behind a checkpoint."""

    targets: int
    with_rows: int
    without_rows: int
    last_target: str | None

    @property
    def share(self) -> float:
        """Share of the targets that have rows."""
        return self.with_rows / self.targets if self.targets else 1.0

    @property
    def ended(self) -> float:
        """Share of the targets that have rows or, in the ledger, an end without rows."""
        if not self.targets:
            return 1.0
        return min(1.0, (self.with_rows + self.without_rows) / self.targets)


@dataclass(frozen=True, slots=True)
class Judged:
    """A checkpoint beside what was measured."""

    checkpoint: Checkpoint
    coverage: Coverage | None
    worth: tuple[Worth, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """An index that a statement needs and the table lacks."""

    table: str
    columns: tuple[str, ...]
    statement: str

    @property
    def remedy(self) -> str:
        """Return the statement that a person can run; it does not lock the table."""
        return f"create index concurrently on {self.table} ({', '.join(self.columns)});"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A job or a file in the account that the ledger does not know."""

    name: str
    display_name: str | None
    state: str
    created_at: datetime | None
    expires_at: datetime | None = None
    requests: int = 0
    size_bytes: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether its name says that this product made it: a ledger was lost or restored."""
        return (self.display_name or "").startswith("bf-")


def measured_as(job_name: str, backfills: Iterable[Backfill]) -> Backfill | None:
    """Return the backfill into whose table a job writes, under the version that its name says.

    Of several the one with the longest name: that of another table may begin with a table's.
    """
    named = [
        (prefix, replace(backfill, extractor_version=job_name.removeprefix(prefix)))
        for backfill in backfills
        for prefix in _prefixes(backfill)
        if job_name.startswith(prefix) and job_name != prefix
    ]
    return max(named, key=lambda each: len(each[0]))[1] if named else None


def _prefixes(backfill: Backfill) -> set[str]:
    """Return how names of jobs into its table begin: with the schema's name, or without."""
    prefix = backfill.checkpoint_of("")
    return {prefix, f"backfill_{prefix.removeprefix('backfill_').rpartition('.')[2]}"}


def judge(
    checkpoint: Checkpoint,
    coverage: Coverage | None,
    now: datetime,
    stale_after: timedelta,
    *,
    is_at_work: bool | None = None,
) -> Judged:
    """Return what a checkpoint's claims are worth, each doubt with a sentence.

    Whether a run of it `is_at_work` is known of our own jobs alone: nobody has to wait then.
    """
    found = [
        *_standing_still(checkpoint, now, stale_after, is_at_work=is_at_work),
        *(_against_data(checkpoint, coverage) if coverage else ()),
    ]
    quiet = Worth.TRUE if coverage else Worth.NOT_MEASURED
    worth = tuple(each for each, _ in found) or (quiet,)
    return Judged(checkpoint, coverage, worth, tuple(sentence for _, sentence in found))


def unindexed(plan: Mapping[str, Any], statement: str) -> Iterable[Advice]:
    """Yield advice for every filtered walk through a whole table in a verbose `explain`."""
    if plan.get("Node Type") == "Seq Scan" and (columns := _filtered(plan.get("Filter", ""))):
        yield Advice(written(plan["Schema"], plan["Relation Name"]), columns, statement)
    for child in plan.get("Plans", ()):
        yield from unindexed(child, statement)


def _standing_still(
    checkpoint: Checkpoint, now: datetime, stale_after: timedelta, *, is_at_work: bool | None
) -> list[tuple[Worth, str]]:
    if (checkpoint.status or "").lower() not in SAYS_RUNNING:
        return []
    if is_at_work is False and not checkpoint.says_waiting:
        sentence = (
            f"{checkpoint.job_name} says {checkpoint.status}, and no run of it is at work: its"
            " process has ended, so run it again."
        )
        return [(Worth.STANDS_STILL, sentence)]
    if not checkpoint.updated_at:
        return []
    moved = checkpoint.updated_at
    idle = now - (moved if moved.tzinfo else moved.replace(tzinfo=UTC))
    if idle < stale_after:
        return []
    hours = idle.total_seconds() / 3600
    sentence = (
        f"{checkpoint.job_name} says {checkpoint.status} and has not moved for {hours:,.0f} h:"
        " run it again, or set its status."
    )
    return [(Worth.STANDS_STILL, sentence)]


def _against_data(checkpoint: Checkpoint, coverage: Coverage) -> list[tuple[Worth, str]]:
    found = []
    name = checkpoint.job_name
    if (checkpoint.status or "").lower() in SAYS_COMPLETE and coverage.ended < COMPLETE:
        sentence = (
            f"{name} claims {checkpoint.status} at {coverage.share:.1%} coverage"
            f" ({coverage.with_rows:,} of {coverage.targets:,}): run it again."
        )
        found.append((Worth.NOT_COMPLETE, sentence))
    if _is_beyond(checkpoint, coverage):
        sentence = (
            f"The cursor of {name} ({checkpoint.cursor_type} {checkpoint.cursor_position}) lies"
            f" beyond the data ({coverage.last_target or f'{coverage.targets:,} rows'}): whatever"
            " goes on from it finds nothing."
        )
        found.append((Worth.BEYOND_DATA, sentence))
    if (checkpoint.items_processed or 0) > coverage.targets:
        sentence = (
            f"{name} counts {checkpoint.items_processed:,} items, but there are only"
            f" {coverage.targets:,}."
        )
        found.append((Worth.COUNTS_TOO_MUCH, sentence))
    return found


def _is_beyond(checkpoint: Checkpoint, coverage: Coverage) -> bool:
    cursor = checkpoint.cursor_position
    if cursor is None:
        return False
    if checkpoint.cursor_type in ("offset", "row", "rows", "row_number", "count", "page"):
        return cursor.isdecimal() and int(cursor) > coverage.targets
    return coverage.last_target is not None and cursor > coverage.last_target


def _filtered(condition: str) -> tuple[str, ...]:
    """Return the columns, as written, that a plan's filter compares with something known before."""
    return tuple(dict.fromkeys(_COMPARED.findall(_LITERAL.sub("''", condition))))
