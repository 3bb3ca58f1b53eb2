"""What came for a slice's targets, read outside any transaction: judged, and made into records.

A transaction holds locks and keeps the database from cleaning up: none waits for the repair of an
answer, or for a declaration's own code. What is read is held for one slice only.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from tasks.adapters import rows
from tasks.adapters.ledger import answers, versions
from tasks.adapters.ledger.answers import Block, Paid
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.reference import models, searches
from tasks.adapters.refusals import Refusal
from tasks.core.answers import Answered, BadReason, Refused, judge
from tasks.core.backfill import Answer, Backfill, Embedding, Record, Target
from tasks.core.cutting import fits
from tasks.core.embeddings import judge_unit
from tasks.core.ends import (
    CommonRefusal,
    Join,
    Outcome,
    Reply,
    answer_to_use,
    end_with_answer,
    end_without_answer,
)
from tasks.core.errors import TableRefusesError
from tasks.core.grounding import Text
from tasks.core.models import Member, Slice
from tasks.core.packing import WatchedText, apart
from tasks.core.responses import Response, Unreadable, Usage
from tasks.core.unseen import only_seen
from tasks.core.wire import on_diet
from tasks.writing.project import refused_alike

Vectors = Mapping[UUID, Sequence[float]]
Verdict = Answered[Any] | Refused[Any]
Line = Response | Unreadable
_OF_LINES = ("duplicates", "unknown", "unreadable")


class Read(NamedTuple):
    """What came for one member, and what becomes of it.

    Attributes:
        target: its row as it was when this was read; None where it was away, or asked otherwise.
        outcome: its end, if nothing stands in the way; None without a target.
        records: what its answer becomes; None where there is none to use.
        vector: what came where a vector was asked for.
        counts: what the QC report sums up, of an answer that is used.
    """

    member: Member
    response: Response | None
    target: Target | None = None
    outcome: Outcome | None = None
    records: Sequence[Record] | None = None
    vector: Sequence[float] | None = None
    counts: Mapping[str, int] = {}


class Reading(NamedTuple):
    """What came for the members of a slice.

    Attributes:
        usage: tokens over all lines; repeated and unknown ones are billed too.
        refusal: the no that the service said to all of them alike.
        failures: what `records` failed with.
        blocks: the answers that were paid for, packed to be kept.
        counts: what there is to say of the lines, and of none in particular.
    """

    created_at: datetime
    usage: Usage = Usage()
    refusal: CommonRefusal | None = None
    answers: Sequence[Read] = ()
    failures: Sequence[Refusal] = ()
    blocks: Sequence[Block] = ()
    counts: Mapping[str, int] = {}

    def of(self, present: Iterable[Target]) -> list[Read]:
        """Return what came for some targets."""
        doc_ids = {target.doc_id for target in present}
        return [each for each in self.answers if each.member.doc_id in doc_ids]


class Reader:
    """Reads what came for members of one slice; to be kept only, unless it `is_written` too."""

    def __init__(self, backfill: Backfill, the_slice: Slice, *, is_written: bool = True) -> None:
        self._is_written = is_written
        self._backfill = backfill
        self._slice = the_slice
        self._asks_vector = the_slice.question == "embedding"
        self._created_at = datetime.now(UTC)
        self._names = backfill.names
        self._texts: Mapping[str, str] = {}
        self._paid: list[Paid] = []
        self._failures: list[Refusal] = []

    def read(self, members: Sequence[Member], lines: Iterable[Line]) -> Reading:
        """Return what the service's lines say, and what they become, packed to be kept."""
        reading = self.read_kept(members, lines)
        return reading._replace(blocks=answers.packed(self._paid))

    def read_kept(self, members: Sequence[Member], lines: Iterable[Line]) -> Reading:
        """Return the same of answers that are kept."""
        with connect() as connection:
            self._names = versions.wire(connection, self._backfill)
            # What was asked together is held against its texts before it is kept.
            asked = members if self._is_written or self._slice.rows_per_request > 1 else ()
            targets, _ = rows.current(connection, self._backfill, asked)
            vectors = self._vectors(connection, members)
        present = {target.doc_id: target for target in targets}
        self._texts = {str(target.doc_id): target.text for target in targets}
        join = Join[Any](str(member.doc_id) for member in members)
        join.read(apart(lines, self._texts))
        reading = Reading(
            self._created_at,
            join.usage,
            join.common_refusal(self._judge),
            counts=self._counts(join),
        )
        if reading.refusal:
            return reading
        replies = zip(members, join.replies(self._judge), strict=True)
        found = [
            self._read(member, reply, present.get(member.doc_id), vectors.get(member.doc_id))
            for member, reply in replies
        ]
        if not self._is_written:
            found = [Read(each.member, each.response, vector=each.vector) for each in found]
        elif not any(each.records for each in found):
            self._raise_if_alike()
        return reading._replace(answers=found, failures=self._failures)

    def _raise_if_alike(self) -> None:
        """Raise where `records` fails at many answers for one reason: no answer is at fault."""
        if said := refused_alike(self._backfill, self._failures):
            raise TableRefusesError(said)

    @property
    def _judge(self) -> Callable[[Response], Verdict]:
        if self._asks_vector:
            return partial(judge_unit, dimensions=self._embedding.dimensions)
        return partial(judge, answer_model=on_diet(self._backfill.answer_model, self._names))

    @property
    def _embedding(self) -> Embedding:
        if self._backfill.embedding is None:
            raise LookupError(f"{self._backfill.name} asks for no vectors any more.")
        return self._backfill.embedding

    def _vectors(self, connection: Connection, members: Sequence[Member]) -> Vectors:
        if self._asks_vector or self._backfill.embedding is None:
            return {}
        return answers.vectors(connection, self._backfill, members)

    def _counts(self, join: Join[Any]) -> Counter[str]:
        lines = {f"lines:{name}": getattr(join, name) for name in _OF_LINES}
        return +Counter({**lines, "searches": searches(self._slice.model, join.usage)})

    def _read(
        self,
        member: Member,
        reply: Reply[Any],
        target: Target | None,
        vector: Sequence[float] | None,
    ) -> Read:
        if self._asks_vector:
            return self._read_vector(member, reply, target)
        answered = self._to_use(member, reply, vector)
        if target is None:
            read = Read(member, reply.response)
        elif isinstance(answered, Refused):
            read = self._bad(member, reply, target, answered)
        else:
            read = self._good(member, reply, target, answered, vector)
        if (response := read.response) is not None and response.is_paid:
            is_usable = isinstance(answered, Answered) and response.astray is None
            if response.others and not is_usable:
                response = response._replace(text=None)  # nobody has shown whose answer it is
            self._paid.append(Paid(member.content_hash, response, is_usable))
        return read

    def _read_vector(self, member: Member, reply: Reply[Any], target: Target | None) -> Read:
        verdict = reply.verdict
        vector = verdict.answer if isinstance(verdict, Answered) else None
        if target is None:
            return Read(member, reply.response, vector=vector)
        if isinstance(verdict, Refused):
            return self._bad(member, reply, target, verdict)
        return Read(member, reply.response, target, vector=vector, counts=self._cut(target))

    def _to_use(self, member: Member, reply: Reply[Any], vector: Sequence[float] | None) -> Verdict:
        is_last = member.attempts + 1 >= self._backfill.max_attempts
        answered = answer_to_use(reply.verdict, is_last=is_last)
        if isinstance(answered, Answered) and self._backfill.embedding and vector is None:
            return Refused(BadReason.NO_CONTENT, "it has no vector")
        return answered

    def _good(
        self,
        member: Member,
        reply: Reply[Any],
        target: Target,
        answered: Answered[Any],
        vector: Sequence[float] | None,
    ) -> Read:
        others = reply.response.others if reply.response else ()
        text = WatchedText(target.text) if others else Text(target.text)
        counts = Counter(answered.mended)
        if self._slice.transport == "interactive":  # else counted where the vectors were made
            counts.update(self._cut(target))
        answer = Answer(
            target=target,
            value=answered.answer,
            lost_items=answered.lost_items,
            model=self._backfill.model,
            extractor_version=self._backfill.extractor_version,
            created_at=self._created_at,
            grounding=text,
            counts=counts,
            options=self._backfill.options,
            grounding_metadata=reply.response.grounding_metadata if reply.response else None,
            embedding=vector,
        )
        try:
            records = [_shown(each, target.text) for each in self._backfill.records(answer)]
        except Exception as error:  # noqa: BLE001 - a declaration is anybody's code
            return self._failed(member, reply, target, error)
        if isinstance(text, WatchedText) and (quote := self._elsewhere(text, others)):
            said = f"it quotes what is not in its text: {quote[:200]}"
            return self._astray(member, reply, target, Refused(BadReason.CROSSED, said))
        outcome = end_with_answer(target, reply, answered, len(records))
        return Read(member, reply.response, target, outcome, records, counts=counts)

    def _elsewhere(self, text: WatchedText, others: Sequence[str]) -> str | None:
        return text.elsewhere([self._texts.get(other) for other in others])

    def _astray(self, member: Member, reply: Reply[Any], target: Target, why: Refused[Any]) -> Read:
        """Return what becomes of an answer that may be another row's: none of it is kept."""
        assert reply.response is not None  # noqa: S101 - it was answered
        gone = reply.response._replace(text=None, astray=(why.reason, why.detail))
        return self._bad(member, reply._replace(response=gone), target, why)

    def _failed(self, member: Member, reply: Reply[Any], target: Target, error: Exception) -> Read:
        kind = type(error).__name__
        said = f"{kind}: {error}"
        self._failures.append(Refusal(kind, said, ""))
        if reply.response and reply.response.others:  # its quotes were not held against its text
            return self._astray(member, reply, target, Refused(BadReason.LEFT_OUT, said))
        return self._bad(member, reply, target, Refused(BadReason.RECORDS_FAILED, said))

    def _bad(self, member: Member, reply: Reply[Any], target: Target, why: Refused[Any]) -> Read:
        # One by one a failure is doubt as well: the answer may have been lost on its way, and paid.
        is_try = self._slice.transport == "interactive" or not why.reason.is_unpaid
        outcome = end_without_answer(target, reply, why, tries=int(is_try))
        return Read(member, reply.response, target, outcome)

    def _cut(self, target: Target) -> Mapping[str, int]:
        """Count a target whose vector is of the beginning of its text only."""
        spec = self._backfill.embedding
        is_cut = spec and not fits(target.text, models().find(spec.model).input_limit)
        return {"embedding:cut": 1} if is_cut else {}


def _shown(record: Record, text: str) -> Record:
    """Return a record without what nobody sees in its texts, or in lists of them."""
    shown = dict(record)
    for column, value in record.items():
        if isinstance(value, str | list):
            shown[column] = _only_seen(value, text)
    return shown


def _only_seen(value: object, text: str) -> object:
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else only_seen(value, text)
    return [_only_seen(each, text) for each in value] if isinstance(value, list) else value
