"""Where every backfill stands, as values that a table, a bar or JSON can show."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, computed_field

from tasks.core.answers import BadReason
from tasks.core.census import Census


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SliceStatus(_Value):
    """One slice that has not ended."""

    slice_id: str
    state: str
    wave: int
    attempt: int
    request_count: int
    job_name: str | None = None
    error: str | None = None
    since: datetime | None = None
    age_seconds: float | None = None


class RunStatus(_Value):
    """The latest run: how far, how fast, how dear."""

    run_id: UUID
    kind: str
    state: str
    message: str | None = None
    restored: int = 0
    started_at: datetime
    ended_at: datetime | None = None
    estimated_usd: float | None = None
    approved_usd: float = 0.0
    approved_by: str | None = None
    targets: int = 0
    ended: int = 0
    spent_usd: float = 0.0
    in_flight_usd: float = 0.0
    first_submitted_at: datetime | None = None
    last_finished_at: datetime | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def targets_per_hour(self) -> float | None:
        """Targets that came to an end per hour since the first job was sent."""
        if not (self.ended and self.first_submitted_at and self.last_finished_at):
            return None
        spent = self.last_finished_at - self.first_submitted_at
        return self.ended / max(spent, timedelta(seconds=1)).total_seconds() * 3600

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seconds_left(self) -> float | None:
        """Seconds until the rest has ended at that rate."""
        rate = self.targets_per_hour
        return (self.targets - self.ended) / rate * 3600 if rate else None

    @property
    def progress(self) -> str:
        """Return how far, how fast, how long still, and how dear, in one line."""
        rate = f"{self.targets_per_hour:,.0f}/h" if self.targets_per_hour else "no rate yet"
        left = f", {duration(self.seconds_left)} left" if self.ended < self.targets else ""
        back = f", {self.restored:,} restored" if self.restored else ""
        return (
            f"{self.ended:,} of {self.targets:,}, {rate}{left}{back}; {self.spent_usd:.4f} spent +"
            f" {self.in_flight_usd:.4f} in flight of {self.approved_usd:.4f} USD approved"
        )


class BackfillStatus(_Value):
    """One backfill under one extractor version; every target is in exactly one of the counts.

    Attributes:
        to_restore: targets that a run has found to be written again from kept answers.
        census: what stands in the tables, where it was asked for: that reads both of them.
    """

    backfill: str
    extractor_version: str
    targets: int
    planned: int
    in_flight: int
    written: int
    empty: int
    bad: int
    skipped: int
    spent_usd: float
    tried_usd: float = 0.0
    bad_reasons: dict[str, int] = {}
    readings: dict[int, int] = {}
    to_restore: int = 0
    paused_since: datetime | None = None
    census: Census | None = None
    run: RunStatus | None = None
    slices: list[SliceStatus] = []

    @property
    def key(self) -> tuple[str, str]:
        """Return whose status this is."""
        return self.backfill, self.extractor_version

    @property
    def ended(self) -> int:
        """Targets that have come to an end."""
        return self.written + self.empty + self.bad + self.skipped

    @property
    def advice(self) -> list[str]:
        """Return what a person may do: of a pause, or answers not read, or by several readings."""
        unread = self.bad_reasons.get(BadReason.UNREAD)
        mixed = [mixture(self.readings)] if len(self.readings) > 1 else []
        stands = [paused(self.paused_since)] if self.paused_since else []
        return [
            *stands,
            *mixed,
            *([f"{unread:,} unread: {BadReason.UNREAD.explanation}"] if unread else []),
        ]

    @property
    def jobs(self) -> list[SliceStatus]:
        """Return the slices that may have a job at the service."""
        return [each for each in self.slices if each.state != "planned"]


class Status(_Value):
    """Everything that the ledger knows about, at one moment."""

    at: datetime
    backfills: list[BackfillStatus] = []


def paused(since: datetime) -> str:
    """Return what holds of a backfill that a person has paused."""
    return (
        f"Paused by a person since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC: jobs in flight are"
        " collected, nothing new is submitted until stop/resume."
    )


def stopped(jobs: int) -> str:
    """Return what is said of a run that a person stopped, and what to do next."""
    collects = f" and collect the {jobs:,} jobs in flight, which are paid for" if jobs else ""
    return f"It was stopped; run again to go on{collects}."


def sent_under(version: str, jobs: int) -> str:
    """Return what becomes of jobs that were sent under a version that is named no more."""
    return (
        f"{jobs:,} batch jobs were sent under {version} and are in flight, although another version"
        " is named now: the next run keeps their answers under their own, and stop/now with"
        " cancel_jobs cancels them."
    )


def mixture(readings: Mapping[int, int]) -> str:
    """Return by which readings how many answers became rows, and what to do about it."""
    listed = [f"{count:,} by reading {reading}" for reading, count in readings.items()]
    return f"Rows of {' and '.join(listed)}: run reread/kept-answers."


def duration(seconds: float | None) -> str:
    """Return a time as people say it: 45 s, 12 min, 3.5 h, 2.1 days."""
    minute, hour, day = 60, 3600, 86400
    if seconds is None:
        return "—"
    if seconds < 2 * minute:
        return f"{seconds:.0f} s"
    if seconds < 2 * hour:
        return f"{seconds / minute:.0f} min"
    if seconds < 2 * day:
        return f"{seconds / hour:.1f} h"
    return f"{seconds / day:.1f} days"
