"""Waves of slices: released together, a bounded number at once, each behind the gate of the last.

The ledger says what is open, not what a subflow returned.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from tasks import backfills
from tasks.adapters.ledger import runs, slices, waves
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread, stage
from tasks.core.errors import (
    BackfillError,
    BudgetReachedError,
    DiskFullError,
    GatesFailedError,
    QuotaError,
    RejectedError,
)
from tasks.core.models import OpenSlice, Progress, SliceResult, SliceState
from tasks.core.waves import Wave
from tasks.slices.again import plan_retries
from tasks.slices.canary import CANARIES, had_answer, plan_canary
from tasks.slices.pause import unpaused

RunSlice = Callable[[str, str, str], Awaitable[SliceResult]]
TRIES_PER_SLICE = 2


class SlicesFailedError(BackfillError):
    """Some slices failed; all others are kept."""


class FanOut:
    """Runs a backfill's open slices, wave by wave.

    Prefect recognises a retried run's subflows by call position, so what one returns may belong to
    another slice. The ledger is asked again after every wave, and what is still open is run again.
    """

    def __init__(self, name: str, run_id: UUID, at_once: int, run_slice: RunSlice) -> None:
        self.name = name
        self.run_id = run_id
        self.at_once = at_once
        self.stopped: BackfillError | None = None
        self.wave = 0
        self._run_slice = run_slice
        self._turns = asyncio.Semaphore(at_once)
        self._tries: Counter[str] = Counter()
        self._failures: dict[str, BaseException] = {}
        self._started = time.monotonic()
        self._artifact: UUID | None = None

    async def run_canary(self) -> None:
        """Bring one row to its end before all others; what stops it stops the run.

        A row may be refused for its own sake: what is refused of a few is refused of all.
        """
        tried: list[str] = []
        while len(tried) < CANARIES:
            canary = await plan_canary(self.name, self.run_id, tried)
            if canary is None:
                break
            tried.append(canary.slice_id)
            self.stopped = None
            await self._to_its_end(canary)
            if self._failures or not await self._says_nothing(canary):
                break
        if self._failures:
            self.raise_failures()
        if tried and not self.stopped:
            await in_thread(plan_retries.directly)(self.name, self.run_id)

    async def _to_its_end(self, one: OpenSlice) -> None:
        left = [one]
        while left and not self.stopped:
            await self._run(left)
            left = [each for each in await self._worth_a_try() if each.slice_id == one.slice_id]

    async def _says_nothing(self, canary: OpenSlice) -> bool:
        """Return whether another row has to be asked to know about all."""
        if self.stopped:
            return type(self.stopped) is RejectedError  # a model or key that is refused is certain
        return not await had_answer(canary.slice_id)

    async def run_wave(self) -> bool:
        """Run what is open of the first open wave; return whether there was such a wave.

        It does not start when the run has to stop, or the wave before it is outside its gate.
        """
        await self._show_progress()
        open_now = await self._worth_a_try()
        if self.stopped or not open_now:
            return False
        self.wave = open_now[0].wave
        self.stopped = await _refusal(self.name, self.run_id, self.wave)
        while open_now and not self.stopped:
            await self._run(open_now)
            left = await self._worth_a_try()
            open_now = [open_slice for open_slice in left if open_slice.wave == self.wave]
        return True

    async def may_go_on(self) -> bool:
        """Return whether the rest may follow a first slice before its bad answers are asked again.

        That takes hours, and says no more of the model once so many answers were usable; they are
        asked again with those of the rest. Waves that are declared end one by one.
        """
        if backfills.get(self.name).waves:
            return False
        later = [each for each in await self._open() if each.wave > self.wave]
        return bool(later) and not await _refusal(self.name, self.run_id, self.wave + 1)

    @in_thread
    def _open(self) -> list[OpenSlice]:
        with connect() as connection:
            return slices.open_slices(connection, self.run_id)

    @in_thread
    def _worth_a_try(self) -> list[OpenSlice]:
        """Return the open slices of the first wave that has any which did not fail too often."""
        with connect() as connection:
            found = slices.open_slices(connection, self.run_id)
        open_now = [
            open_slice for open_slice in found if self._tries[open_slice.slice_id] < TRIES_PER_SLICE
        ]
        return [open_slice for open_slice in open_now if open_slice.wave == open_now[0].wave]

    def raise_failures(self) -> None:
        """Raise one error that names what failed, when a slice could not be brought to its end."""
        if isinstance(self.stopped, (DiskFullError, RejectedError)):
            raise self.stopped
        if not self._failures:
            return
        causes = Counter(f"{error}" or type(error).__name__ for error in self._failures.values())
        said = "; ".join(f"{cause} ({count} slices)" for cause, count in causes.most_common(3))
        message = (
            f"{len(self._failures)} of {len(self._tries)} slices did not end: {said}."
            " Everything else is kept; run again to go on."
        )
        raise SlicesFailedError(message) from next(iter(self._failures.values()))

    async def _run(self, wave: list[OpenSlice]) -> None:
        parts = [_part(number, wave) for number in range(len(wave))]
        results = await asyncio.gather(*map(self._one, wave, parts), return_exceptions=True)
        for open_slice, result in zip(wave, results, strict=True):
            if isinstance(result, BaseException):
                self._failures[open_slice.slice_id] = result
            else:
                self._failures.pop(open_slice.slice_id, None)

    async def _one(self, open_slice: OpenSlice, part: str) -> None:
        async with self._turns:
            if open_slice.state is SliceState.PLANNED:
                await unpaused(backfills.get(self.name))
            if self.stopped and open_slice.state is SliceState.PLANNED:
                return
            self._tries[open_slice.slice_id] += 1
            try:
                result = await self._run_slice(self.name, open_slice.slice_id, part)
            except (BudgetReachedError, QuotaError, GatesFailedError) as error:
                self.stopped = self.stopped or error
                return
            except (DiskFullError, RejectedError) as error:
                # What the service refuses for one slice it refuses for all, and so does a disk.
                self.stopped = error
                return
            if result.slice_id != open_slice.slice_id:
                self._tries[open_slice.slice_id] -= (
                    1  # an earlier try's answer: this one did not run
                )
                return
            self.stopped = self.stopped or await _off_course(self.name, open_slice.slice_id)
            await self._show_progress()

    async def _show_progress(self) -> None:
        progress = await self._progress()
        share = 100.0 * progress.ended / max(1, progress.targets)
        get_run_logger().info(_line(progress, time.monotonic() - self._started))
        if self._artifact is None:
            self._artifact = await acreate_progress_artifact(
                progress=share,
                key=f"{self.name.replace('_', '-')}-progress",
                description=f"Targets of {self.name} that have an end",
            )
        else:
            await aupdate_progress_artifact(artifact_id=self._artifact, progress=share)

    @in_thread
    def _progress(self) -> Progress:
        with connect() as connection:
            return runs.progress(connection, self.run_id)


@stage("wave {wave} of {name}")
def report_wave(name: str, run_id: UUID, wave: int) -> None:  # noqa: ARG001 - names the run
    """Say what came of a wave and what it cost."""
    for each in _waves(run_id):
        if each.number == wave:
            get_run_logger().info("%s.", each.sentence())


@in_thread
def _refusal(name: str, run_id: UUID, wave: int) -> GatesFailedError | None:
    """Return why this wave may not start: the one before it is outside its gate."""
    before = [each for each in _waves(run_id) if each.number < wave]
    said = before[-1].refusal(backfills.get(name).wave_gate) if before else None
    return GatesFailedError(said) if said else None


@in_thread
def _off_course(name: str, slice_id: str) -> GatesFailedError | None:
    """Return why nothing more may be sent after this slice."""
    with connect() as connection:
        said = waves.off_course(connection, slice_id, backfills.get(name).wave_gate)
    return GatesFailedError(said) if said else None


def _part(number: int, wave: list[OpenSlice]) -> str:
    """Return which part of the wave a slice is, as people count: 3 of 8, 5,000 rows."""
    rows = wave[number].request_count
    return f"{number + 1} of {len(wave)}, {rows:,} row{'s' * (rows != 1)}"


def _waves(run_id: UUID) -> list[Wave]:
    with connect() as connection:
        return waves.of_run(connection, run_id)


def _line(progress: Progress, seconds: float) -> str:
    rate = progress.ended / seconds if seconds > 0 else 0.0
    left = (progress.targets - progress.ended) / rate if rate else 0.0
    return (
        f"{progress.ended:,} of {progress.targets:,} targets"
        f" ({progress.written:,} written, {progress.empty:,} empty, {progress.bad:,} bad,"
        f" {progress.skipped:,} skipped), {progress.jobs_in_flight} jobs in flight,"
        f" {rate:,.0f}/s, {left / 60:.0f} min left, {progress.spent_usd:.4f} USD"
    )
