"""The transaction in which answers of one slice are written: rows, ends, totals, checkpoint."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from tasks import backfills
from tasks.adapters import rows, tables, workspace
from tasks.adapters.ledger import generations, runs, slices
from tasks.adapters.postgres import Connection
from tasks.adapters.reference import models, searches
from tasks.adapters.refusals import Refusal
from tasks.adapters.settings import settings
from tasks.core.another_try import temperature_of
from tasks.core.answers import Answered, BadReason, Refused, judge
from tasks.core.backfill import Answer, Backfill, CsvColumns, Target
from tasks.core.csv_cells import STATUS
from tasks.core.cutting import fits
from tasks.core.ends import (
    CommonRefusal,
    End,
    Join,
    Outcome,
    Reply,
    SkipReason,
    SliceTotals,
    answer_to_use,
    end_with_answer,
    end_without_answer,
)
from tasks.core.errors import SumsError
from tasks.core.grounding import Text
from tasks.core.models import Member, Slice
from tasks.core.observed import Observed
from tasks.core.refusals import refused_together
from tasks.core.responses import Response, Usage, read_lines
from tasks.writing import booking
from tasks.writing.keeping import Keeping
from tasks.writing.observing import observation
from tasks.writing.project import Projected, Projection


class Ingestion:
    """Writes a whole slice from its job's output, or one row of it."""

    def __init__(self, connection: Connection, the_slice: Slice) -> None:
        self._connection = connection
        self._slice = the_slice
        self._backfill: Backfill = backfills.get(the_slice.backfill)
        self._totals = SliceTotals()
        self._outcomes: list[Outcome] = []
        self._moved = 0
        self._created_at = datetime.now(UTC)
        self._keeping = Keeping(connection, self._backfill)
        self.observed: list[Observed] = []
        self.refusal: str | None = None
        self.refusals: list[Refusal] = []

    def write_slice(self, path: Path | None) -> None:
        """Write every open target of the slice, and close it; without a file nothing was asked.

        Where all requests are refused alike nothing is written: the targets are planned again, and
        `refusal` says why.
        """
        members = generations.members(self._connection, self._slice.slice_id)
        before = generations.ended_before(self._connection, self._slice.slice_id)
        present, gone = rows.current(self._connection, self._backfill, members)
        join = self._join(members, read_lines(workspace.lines(path)))
        if refusal := join.common_refusal(self._judge):
            self._plan_again(members, join, refusal)
            return
        self._end_all(members, present, gone, join)
        self._note_temperature(members)
        used = booking.used(self._slice, join.usage)
        self._close(self._totals.ends + Counter(before), used)
        last = max((member.target_id for member in members), default=None)
        runs.say(self._connection, self._backfill, None, position=last)

    def write_target(
        self, member: Member, response: Response | None, extra_usd: float = 0.0
    ) -> End:
        """Write one target of the slice; `extra_usd` is what it cost besides this answer."""
        present, gone = rows.current(self._connection, self._backfill, [member])
        join = self._join([member], [response] if response else [])
        self._end_all([member], present, gone, join)
        self._add_usage(join.usage, extra_usd)
        return self._outcomes[0].end

    def close_slice(self) -> None:
        """Close a slice whose targets were written one by one."""
        the_slice = self._slice
        if left := len(generations.members(self._connection, the_slice.slice_id)):
            raise SumsError(f"Slice {the_slice.slice_id} still has {left} targets without an end.")
        self._totals.measures = Counter({name: int(n) for name, n in the_slice.measures.items()})
        ends = Counter(generations.ended_before(self._connection, the_slice.slice_id))
        used = the_slice.input_tokens, the_slice.output_tokens, the_slice.cost_usd
        self._close(ends, used)
        runs.say(self._connection, self._backfill, None)

    def _join(self, members: Sequence[Member], lines: Iterable[Response | Any]) -> Join[Any]:
        return Join[Any](str(member.doc_id) for member in members).read(lines)

    def _plan_again(
        self, members: Sequence[Member], join: Join[Any], refusal: CommonRefusal
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
        self._add_usage(join.usage)
        slices.fail(self._connection, the_slice.slice_id, self.refusal)

    def _note_temperature(self, members: Sequence[Member]) -> None:
        model = models().find(self._slice.model)
        if (said := temperature_of(self._backfill, model, self._slice, members)) is not None:
            self._totals.measures[f"temperature:{said}"] = len(members)

    def _add_usage(self, usage: Usage, extra_usd: float = 0.0) -> None:
        measures = self._totals.measures
        booking.add_usage(self._connection, self._slice, usage, measures, extra_usd)

    def _end_all(
        self,
        members: Sequence[Member],
        present: Sequence[Target],
        gone: Sequence[tuple[Member, SkipReason]],
        join: Join[Any],
    ) -> None:
        """Give every member its end: those that are present by their lines."""
        for name in ("duplicates", "unknown", "unreadable"):
            if count := getattr(join, name):
                self._totals.measures[f"lines:{name}"] = count
        if count := searches(self._slice.model, join.usage):
            self._totals.measures["searches"] = count
        self._take(members, present, join)
        for member, why in gone:
            self._end(Outcome(member.doc_id, End.SKIPPED, str(why)))
        self._check(members)

    @property
    def _judge(self) -> Callable[[Response], Answered[Any] | Refused[Any]]:
        return partial(judge, answer_model=self._backfill.answer_model)

    def _take(self, members: Sequence[Member], present: Sequence[Target], join: Join[Any]) -> None:
        """Write the rows of every usable answer that the database takes."""
        here = tables.of(self._connection, self._backfill)
        # Of a CSV another file's row may still ask the older question.
        older = [] if here.is_csv else self._keeping.make_way(here, members)
        asked = {member.doc_id: member for member in members}
        vectors = self._vectors(present)
        projection = Projection(self._connection, here, self._created_at, older)
        before = self._totals

        def everything() -> Iterator[Projected]:
            # What was noted of a try that wrote nothing is forgotten.
            self._totals, self._outcomes, self.observed = deepcopy(before), [], []
            self._keeping.begin_anew()
            replies = join.replies(self._judge)
            return self._projected(present, replies, asked, vectors, projection.refused)

        projection.write(everything)
        self.refusals = list(projection.refused.values())
        written = [outcome.doc_id for outcome in self._outcomes if outcome.end is End.WRITTEN]
        if vectors:
            generations.forget_vectors(self._connection, written)
        self._keep()
        self._keeping.project(here)

    def _keep(self) -> None:
        self._keeping.keep()

    def _projected(
        self,
        present: Sequence[Target],
        replies: Iterable[Reply[Any]],
        asked: Mapping[UUID, Member],
        vectors: Mapping[UUID, list[float]],
        refused: Mapping[UUID, Refusal],
    ) -> Iterator[Projected]:
        """Yield what every usable answer becomes, and note every target's end on the way."""
        is_csv = isinstance(self._backfill.target, CsvColumns)
        here = {str(target.doc_id): target for target in present}
        for reply in replies:
            member = asked[UUID(reply.key)]
            target, vector = here.get(reply.key), vectors.get(member.doc_id)
            is_last = member.attempts + 1 >= self._backfill.max_attempts
            answered = answer_to_use(reply.verdict, is_last=is_last)
            is_embedded = not self._backfill.embedding or vector is not None
            if isinstance(answered, Answered) and not is_embedded:
                answered = Refused(BadReason.NO_CONTENT, "it has no vector")
            is_usable = isinstance(answered, Answered)
            self._keeping.take(member, reply.response, vector, is_usable=is_usable)
            if target is None:
                continue  # its row is away, or says something else by now: the answer is kept
            if target.target_id in self._keeping.edited:
                self._end(Outcome(target.doc_id, End.SKIPPED, str(SkipReason.EDITED)))
                continue
            if why := refused.get(target.doc_id):
                answered = Refused(BadReason.REFUSED_BY_DATABASE, why.sentence)
            if isinstance(answered, Refused):
                self._end_bad(target, reply, answered)
                self._observe(target, reply, 0)
                continue
            answer = self._answer(target, reply, answered, vector)
            self._totals.measures.update(answered.mended)
            records = list(self._backfill.records(answer))
            status = str(records[-1].get(STATUS) or "") if is_csv and records else ""
            yield Projected(target, records)
            self._keeping.stands(target, len(records))
            self._end(end_with_answer(target, reply, answered, len(records)))
            if self._slice.transport == "interactive":  # else counted where the vectors were made
                self._note_cut(target)
            self._observe(target, reply, len(records), status)

    def _observe(self, target: Target, reply: Reply[Any], written: int, status: str = "") -> None:
        """Keep what an observer gets once this is committed; nothing when there is none."""
        if settings().otel_endpoint and reply.response is not None:
            self.observed.append(
                observation(
                    self._backfill,
                    self._slice,
                    target,
                    reply.response,
                    self._outcomes[-1],
                    records=written,
                    at=self._created_at,
                    status=status,
                )
            )

    def _answer(
        self,
        target: Target,
        reply: Reply[Any],
        answered: Answered[Any],
        vector: Sequence[float] | None,
    ) -> Answer:
        return Answer(
            target=target,
            value=answered.answer,
            lost_items=answered.lost_items,
            model=self._backfill.model,
            extractor_version=self._backfill.extractor_version,
            created_at=self._created_at,
            grounding=Text(target.text),
            counts=self._totals.measures,
            options=self._backfill.options,
            grounding_metadata=reply.response.grounding_metadata if reply.response else None,
            embedding=vector,
        )

    def _vectors(self, present: Sequence[Target]) -> dict[UUID, list[float]]:
        if self._backfill.embedding is None:
            return {}
        return generations.vectors(self._connection, [target.doc_id for target in present])

    def _end(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._totals.add(outcome)

    def _note_cut(self, target: Target) -> None:
        """Count a target whose vector is of the beginning of its text only."""
        spec = self._backfill.embedding
        if spec and not fits(target.text, models().find(spec.model).input_limit):
            self._totals.measures["embedding:cut"] += 1

    def _end_bad(self, target: Target, reply: Reply[Any], why: Refused[Any]) -> None:
        # One by one a failure is doubt as well: the answer may have been lost on its way, and paid.
        is_try = self._slice.transport == "interactive" or not why.reason.is_unpaid
        self._end(end_without_answer(target, reply, why, tries=int(is_try)))

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
