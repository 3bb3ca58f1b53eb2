"""The transaction in which answers of one slice are written: rows, ends, totals, checkpoint."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tasks import backfills
from tasks.adapters import rows, tables
from tasks.adapters.ledger import answers, checkpoint, generations, slices
from tasks.adapters.postgres import Connection
from tasks.adapters.reference import models
from tasks.adapters.refusals import Refusal
from tasks.adapters.settings import settings
from tasks.core.another_try import temperature_of
from tasks.core.answers import BadReason, Refused
from tasks.core.backfill import Backfill, Target
from tasks.core.csv_cells import STATUS
from tasks.core.ends import (
    CommonRefusal,
    End,
    Outcome,
    Reply,
    SkipReason,
    SliceTotals,
    end_without_answer,
)
from tasks.core.errors import SumsError
from tasks.core.models import Member, Slice
from tasks.core.observed import Observed
from tasks.core.places import CsvColumns
from tasks.core.refusals import refused_together
from tasks.core.responses import Usage
from tasks.writing import booking
from tasks.writing.keeping import Keeping
from tasks.writing.observing import observation
from tasks.writing.project import Projected, Projection
from tasks.writing.reading import Read, Reading


class Ingestion:
    """Writes what was read of a whole slice, or of one row of it."""

    def __init__(
        self, connection: Connection, the_slice: Slice, backfill: Backfill | None = None
    ) -> None:
        self._connection = connection
        self._slice = the_slice
        self._backfill = backfill or backfills.of_slice(connection, the_slice)
        self._totals = SliceTotals()
        self._outcomes: list[Outcome] = []
        self._moved = 0
        self._created_at = datetime.now(UTC)
        self._keeping = Keeping(connection, self._backfill)
        self.observed: list[Observed] = []
        self.refusal: str | None = None
        self.refusals: list[Refusal] = []

    def write_slice(self, reading: Reading) -> None:
        """Write every open target of the slice, and close it.

        Where all requests are refused alike nothing is written: the targets are planned again, and
        `refusal` says why.
        """
        members = generations.members(self._connection, self._slice.slice_id)
        if reading.refusal:
            self._plan_again(members, reading, reading.refusal)
            return
        before = generations.ended_before(self._connection, self._slice.slice_id)
        self._end_all(members, reading)
        self._note_temperature(members)
        used = booking.used(self._slice, reading.usage)
        self._close(self._totals.ends + Counter(before), used)
        last = max((member.target_id for member in members), default=None)
        checkpoint.say(self._connection, self._backfill, None, position=last)

    def write_target(self, reading: Reading, extra_usd: float = 0.0) -> End:
        """Write one target of the slice; `extra_usd` is what it cost besides this answer."""
        self._end_all([each.member for each in reading.answers], reading)
        self._add_usage(reading.usage, extra_usd)
        checkpoint.say(self._connection, self._backfill, None)
        return self._outcomes[0].end

    def close_slice(self) -> None:
        """Close a slice whose targets were written one by one."""
        the_slice = self._slice
        if left := len(generations.members(self._connection, the_slice.slice_id)):
            said = f"Slice {the_slice.slice_id} still has {left} targets without an end: run again."
            raise SumsError(said)
        self._totals.measures = Counter({name: int(n) for name, n in the_slice.measures.items()})
        ends = Counter(generations.ended_before(self._connection, the_slice.slice_id))
        used = the_slice.input_tokens, the_slice.output_tokens, the_slice.cost_usd
        self._close(ends, used)
        checkpoint.say(self._connection, self._backfill, None)

    def _plan_again(
        self, members: Sequence[Member], reading: Reading, refusal: CommonRefusal
    ) -> None:
        """Give all targets to a new slice, as if no job had carried them."""
        the_slice = self._slice
        self.refusal = refused_together(
            self._backfill.name,
            the_slice.model,
            refusal,
            is_vector=the_slice.question == "embedding",
        )
        everyone = [member.doc_id for member in members]
        generations.move_on(self._connection, the_slice, everyone, the_slice.attempt)
        self._add_usage(reading.usage)
        slices.fail(self._connection, the_slice.slice_id, self.refusal)

    def _note_temperature(self, members: Sequence[Member]) -> None:
        model = models().find(self._slice.model)
        if (said := temperature_of(self._backfill, model, self._slice, members)) is not None:
            self._totals.measures[f"temperature:{said}"] = len(members)

    def _add_usage(self, usage: Usage, extra_usd: float = 0.0) -> None:
        measures = self._totals.measures
        booking.add_usage(self._connection, self._slice, usage, measures, extra_usd)

    def _end_all(self, members: Sequence[Member], reading: Reading) -> None:
        """Give every member its end: those whose row is there by what was read for them."""
        present, gone = rows.current(self._connection, self._backfill, members)
        self._totals.measures.update(reading.counts)
        self._take(members, present, reading)
        for member, why in gone:
            self._end(Outcome(member.doc_id, End.SKIPPED, str(why)))
        answers.keep(self._connection, self._backfill, reading.blocks)
        self._check(members)

    def _take(self, members: Sequence[Member], present: Sequence[Target], reading: Reading) -> None:
        """Write the rows of every usable answer that the database takes."""
        self._created_at = reading.created_at
        found = reading.of(present)
        here = tables.of(self._connection, self._backfill)
        # Of a CSV another file's row may still ask the older question.
        older = [] if here.is_csv else self._keeping.make_way(here, members)
        projection = Projection(self._connection, here, self._created_at, older)
        before = self._totals

        def everything() -> Iterator[Projected]:
            # What was noted of a try that wrote nothing is forgotten.
            self._totals, self._outcomes, self.observed = deepcopy(before), [], []
            self._keeping.begin_anew()
            return self._projected(found, projection.refused)

        projection.write(everything)
        self.refusals = [*reading.failures, *projection.refused.values()]
        self._keeping.project(here, projection.standing)

    def _projected(
        self, found: Sequence[Read], refused: Mapping[UUID, Refusal]
    ) -> Iterator[Projected]:
        """Yield what every usable answer becomes, and note every target's end on the way."""
        is_csv = isinstance(self._backfill.target, CsvColumns)
        for each in found:
            target, outcome, records = each.target, each.outcome, each.records
            if target is None or outcome is None:  # it is back since it was read
                self._end(Outcome(each.member.doc_id, End.SKIPPED, str(SkipReason.ROW_DELETED)))
                continue
            if left := self._keeping.left.get(target.target_id):
                self._end(Outcome(target.doc_id, End.SKIPPED, str(left)))
                continue
            if why := refused.get(target.doc_id):
                outcome, records = self._refused(target, each, why), None
            self._end(outcome)
            if records is not None:
                self._totals.measures.update(each.counts)
                self._keeping.stands(target, len(records))
                yield Projected(target, records)
            status = str(records[-1].get(STATUS) or "") if is_csv and records else ""
            self._observe(each, outcome, len(records or ()), status)

    @staticmethod
    def _refused(target: Target, each: Read, why: Refusal) -> Outcome:
        said = Refused[Any](BadReason.REFUSED_BY_DATABASE, why.sentence)
        return end_without_answer(target, Reply(str(target.doc_id), said, each.response), said)

    def _observe(self, each: Read, outcome: Outcome, written: int, status: str = "") -> None:
        """Keep what an observer gets once this is committed; nothing when there is none."""
        if settings().otel_endpoint and each.target and each.response:
            self.observed.append(
                observation(
                    self._backfill,
                    self._slice,
                    each.target,
                    each.response,
                    outcome,
                    records=written,
                    at=self._created_at,
                    status=status,
                )
            )

    def _end(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._totals.add(outcome)

    def _check(self, members: Sequence[Member]) -> None:
        """Give every member its end, or raise SumsError."""
        ended = generations.end(self._connection, self._outcomes)
        if ended != self._totals.requests or ended + self._moved != len(members):
            raise SumsError(
                f"Slice {self._slice.slice_id} has {len(members)} open targets, but {ended} ends"
                " were recorded: nothing of it was written."
            )

    def _close(self, ends: Mapping[str, int], used: tuple[int, int, float]) -> None:
        counts = {**ends, "moved": self._moved}
        booking.close(self._connection, self._slice.slice_id, counts, used, self._totals.measures)
