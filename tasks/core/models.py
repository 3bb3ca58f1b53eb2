"""The ledger's rows as values."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tasks.core.money import Transport

Kind = Literal["pilot", "full", "incremental"]
Question = Literal["embedding", "answer"]
StoppedBy = Literal["budget", "quota", "rejected", "gates"]


class SliceState(StrEnum):
    """Where a slice is on its way; every value is also a word of the ledger's check constraint."""

    PLANNED = "planned"  # its targets are fixed; nothing was promised to anyone
    RESERVED = "reserved"  # a job may exist: find it by its display name before creating one
    SUBMITTED = "submitted"  # the job's name is recorded; it is never created again
    DONE = "done"  # every target has its end state, in the same transaction as its rows
    FAILED = "failed"  # the job ended without answers; its targets moved to other slices
    ROLLED_BACK = "rolled_back"  # its answers were taken back; what was paid stays on record


WITH_OUTPUT = frozenset({"SUCCEEDED", "PARTIALLY_SUCCEEDED"})
"""The job's output can be fetched. PARTIALLY_SUCCEEDED is Vertex's; we would not mind it."""

WITHOUT_OUTPUT = frozenset({"FAILED", "CANCELLED", "EXPIRED"})
"""Nothing will come, and nothing was charged for what did not come."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Run(_Row):
    """One run that a person or a schedule started."""

    run_id: UUID
    backfill: str
    extractor_version: str
    kind: Kind
    state: str
    max_targets: int | None = None
    estimated_usd: float | None = None
    approved_usd: float = 0.0
    approved_by: str | None = None
    approved_in: str | None = None
    passed: bool | None = None
    flow_run_id: str | None = None
    message: str | None = None
    restored: int = 0
    restores_approved: bool = False
    started_at: datetime
    ended_at: datetime | None = None
    age_seconds: float = 0.0


class Slice(_Row):
    """A fixed set of targets that travels as one batch job."""

    slice_id: str
    run_id: UUID
    backfill: str
    extractor_version: str
    wave: int
    attempt: int
    state: SliceState
    request_count: int
    max_output_tokens: int | None = None
    rows_per_request: int = 1
    estimated_input_tokens: int = 0
    estimated_usd: float = 0.0
    model: str
    question: Question = "answer"
    transport: Transport = "batch"
    input_digest: str | None = None
    display_name: str | None = None
    input_file: str | None = None
    job_name: str | None = None
    error: str | None = None
    stopped_by: StoppedBy | None = None
    written: int = 0
    empty: int = 0
    bad: int = 0
    skipped: int = 0
    moved: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    measures: dict[str, float] = {}
    reserved_at: datetime | None = None


class OpenSlice(_Row):
    """What the parent needs to know of a slice that is not finished."""

    slice_id: str
    wave: int
    attempt: int
    state: SliceState
    question: Question
    transport: Transport
    request_count: int
    estimated_input_tokens: int
    estimated_usd: float


class Member(NamedTuple):
    """One target of a slice, as it was when it was planned; the columns of `members`."""

    doc_id: UUID
    target_id: str
    content_hash: UUID
    attempts: int = 0


class Filled(NamedTuple):
    """Columns that a reading fills; fingerprints of older ones are of the columns' texts."""

    names: tuple[str, ...]
    by_text: bool = False


class Written(NamedTuple):
    """What a target's rows were when they were written: a fingerprint over what was filled.

    Either is None where nobody took it.
    """

    fingerprint: int | None = None
    filled: Filled | None = None


PAID_TWICE, PAID_TWICE_USD = "paid_twice", "paid_twice_usd"
"""Measures of a slice: what a second job of its name answered, and cost."""


class Spending(_Row):
    """Dollars and tokens of one run; rows that were `paid_twice` are in them."""

    spent_usd: float
    in_flight_usd: float
    input_tokens: int
    output_tokens: int
    slices: int
    paid_twice: int = 0
    paid_twice_usd: float = 0.0


class Progress(_Row):
    """How far a run is; a target that is asked again counts once."""

    ended: int
    targets: int
    written: int
    empty: int
    bad: int
    skipped: int
    jobs_in_flight: int
    spent_usd: float
    in_flight_usd: float
    first_submitted_at: datetime | None
    last_finished_at: datetime | None


class MeasuredTokens(_Row):
    """Tokens and searches per target, with what was asked again, as measured so far."""

    input_tokens: float | None
    output_tokens: float | None
    searches: float | None
    answers: int


class Plan(BaseModel):
    """What planning did: the run, what is open in it, and what was left out."""

    model_config = ConfigDict(frozen=True)

    run_id: UUID
    resumed: bool
    planned: int
    skipped: int
    open_targets: int
    open_slices: int
    since: datetime | None = None
    restorable: int = 0
    twins: int = 0
    thinned: int = 0
    repeats: str = ""

    def sentence(self) -> str:
        """Return what a run finds to do."""
        said = (
            f"{self.open_targets} targets in {self.open_slices} slices are open:"
            f" {self.planned} new, {self.skipped} skipped"
        )
        if self.restorable:
            said += f"; {self.restorable:,} have kept answers, to be written again for nothing"
        if self.since:
            said += f"; only rows changed since {self.since:%Y-%m-%d %H:%M %Z} were looked at"
        if self.repeats:
            said += f"; {self.repeats}"
        if self.thinned:
            said += (
                f"; {self.thinned:,} lack their rows and are not asked, because they were answered"
                " and the answer is kept no more: redrive/bad asks them, for the reason thinned"
            )
        return said + ("; going on with an unfinished run" if self.resumed else "")


class BatchJob(BaseModel):
    """Gemini's batch job as far as we look at it; its state is without a JOB_STATE_ before it."""

    model_config = ConfigDict(frozen=True)

    name: str
    display_name: str | None
    state: str
    model: str | None = None
    create_time: datetime | None = None
    output_file: str | None = None
    error: str | None = None
    stats: dict[str, Any] = {}

    @property
    def is_without_output(self) -> bool:
        """Whether it ended, and nothing will come of it."""
        return self.state in WITHOUT_OUTPUT

    @property
    def is_ready(self) -> bool:
        """Whether there is nothing to wait for: SUCCEEDED may come before the output."""
        has_output = self.state in WITH_OUTPUT and self.output_file is not None
        return has_output or self.is_without_output


class UploadedFile(BaseModel):
    """A request file at the service, which deletes it 48 h after the upload."""

    model_config = ConfigDict(frozen=True)

    name: str
    expires_at: datetime


class SliceResult(BaseModel):
    """What became of one slice; carries its own slice_id, so that a mix-up cannot hide."""

    model_config = ConfigDict(frozen=True)

    slice_id: str
    state: SliceState
    written: int = 0
    empty: int = 0
    bad: int = 0
    skipped: int = 0
    cost_usd: float = 0.0
    message: str | None = None


class Totals(BaseModel):
    """The ends of everything that a run took on, each target in exactly one."""

    model_config = ConfigDict(frozen=True)

    planned: int = 0
    written: int = 0
    empty: int = 0
    bad: dict[str, int] = {}
    skipped: dict[str, int] = {}

    @property
    def targets(self) -> int:
        """Return how many targets there are in all."""
        ended = self.written + self.empty + sum(self.bad.values()) + sum(self.skipped.values())
        return self.planned + ended


class RunSummary(BaseModel):
    """The end of a run, for its result, its artifact and whoever started it."""

    run_id: UUID
    backfill: str
    kind: Kind
    totals: Totals
    slices: int
    input_tokens: int
    output_tokens: int
    estimated_usd: float
    cost_usd: float
    seconds: float
    message: str
    passed: bool = True
