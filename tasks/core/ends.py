"""From the lines of a slice to the ends of its targets: joined by key, never by position."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from tasks.core.answers import Answered, BadReason, Refused, missing, reason_of, unreadable
from tasks.core.backfill import Target
from tasks.core.responses import Response, Unreadable, Usage

A = TypeVar("A")
_Line = Response | Unreadable
MANY = 10
"""So many requests that are refused alike are not at fault one by one."""

_Judge = Callable[[Response], Answered[A] | Refused[A]]


class Reply(NamedTuple, Generic[A]):
    """The verdict on one request; `response` is None where no line could be read for it."""

    key: str
    verdict: Answered[A] | Refused[A]
    response: Response | None = None


class Join(Generic[A]):
    """The lines of one slice by key, whatever order they arrive in.

    Responses are kept as text and judged one by one on the way out: a slice of validated answers
    would cost several times the memory, and the collector's time to walk through it.

    Attributes:
        duplicates: how many lines repeated a key.
        unknown: how many lines had a key that nobody asked for.
        unreadable: how many lines could not be read, or had no key.
        usage: tokens over all readable lines; repeated and unknown ones are billed too.
    """

    def __init__(self, expected: Iterable[str]) -> None:
        self._lines: dict[str, list[_Line]] = {key: [] for key in expected}
        self.duplicates = 0
        self.unknown = 0
        self.unreadable = 0
        self.usage = Usage()

    def read(self, lines: Iterable[_Line]) -> Self:
        """Take in lines, and return this join."""
        for line in lines:
            if isinstance(line, Unreadable):
                self.unreadable += 1
            else:
                self.usage = self.usage.plus(line.usage)
            if line.key is not None:
                self._keep(line.key, line)
        return self

    def replies(self, judge: _Judge[A]) -> Iterator[Reply[A]]:
        """Yield one reply for every expected key, in the order they were expected.

        Of several lines with one key the best is taken: answered over mended over refused, then
        the smallest in code-point order, so that the order of lines decides nothing.
        """
        for key, lines in self._lines.items():
            replies = [_reply(key, line, judge) for line in lines] or [Reply(key, missing())]
            yield replies[0] if len(replies) == 1 else min(replies, key=_rank)

    def common_refusal(self, judge: _Judge[A]) -> "CommonRefusal | None":
        """Return the error that at least MANY requests share, where none has a usable answer."""
        errors = [error for lines in self._lines.values() if (error := _refused(lines))]
        if len(errors) < MANY:
            return None
        [(code, count)] = Counter(code for code, _ in errors).most_common(1)
        if count < MANY or any(_is_usable(reply.verdict) for reply in self.replies(judge)):
            return None
        [(message, _)] = Counter(said for each, said in errors if each == code).most_common(1)
        return CommonRefusal(code, message, count, len(self._lines))

    def _keep(self, key: str, line: _Line) -> None:
        """Keep a line with its key, or count that nobody asked for it."""
        lines = self._lines.get(key)
        if lines is None:
            self.unknown += 1
            return
        self.duplicates += bool(lines)
        lines.append(line)


class CommonRefusal(NamedTuple):
    """An error that is a fault of what all requests have in common: so many of so many have it."""

    code: int
    message: str
    lines: int
    requests: int


def _refused(lines: Iterable[_Line]) -> tuple[int, str] | None:
    """Return the error of a request whose own fault it is; None for any other line."""
    for line in lines:
        if isinstance(line, Response) and line.error:
            is_its_own = reason_of(line.error[0]) is BadReason.REFUSED_REQUEST
            return line.error if is_its_own else None
    return None


def _is_usable(verdict: Answered[Any] | Refused[Any]) -> bool:
    return isinstance(verdict, Answered) or verdict.salvaged is not None


def _reply(key: str, line: _Line, judge: _Judge[A]) -> Reply[A]:
    if isinstance(line, Unreadable):
        return Reply(key, unreadable(line.reason))
    return Reply(key, judge(line), line)


def _rank(reply: Reply[Any]) -> tuple[bool, bool, bool, bool, str]:
    """Return a total order in which the best reply comes first."""
    verdict, response = reply.verdict, reply.response
    if isinstance(verdict, Answered):
        return (False, verdict.repaired, bool(verdict.mended), False, repr(response))
    return (True, False, verdict.salvaged is None, response is None, repr(reply))


class End(StrEnum):
    """The four ends of a target."""

    WRITTEN = "written"
    EMPTY = "empty"
    BAD = "bad"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why a target was not asked, or its answer not used."""

    EMPTY_TEXT = "empty_text"  # there is nothing to ask about
    DUPLICATE_ID = "duplicate_id"  # another row of the same id is asked
    TEXT_CHANGED = "text_changed"  # it will be planned again as a new target
    ROW_DELETED = "row_deleted"
    OTHERS = "done_by_others"  # rows of this version that we did not write stand there
    EDITED = "edited"  # a person corrected the rows of an older text: they are left
    UNSENDABLE = "unsendable_text"  # not valid Unicode: it cannot be put into JSON
    OTHER_VERSION = "other_version"  # its job was sent under a version that is named no more
    OVER_LIMIT = "over_limit"  # the embedding model does not read so much, and nothing is cut

    @property
    def explanation(self) -> str:
        """Return one line for people."""
        return _EXPLANATIONS[self]

    @property
    def passes(self) -> bool:
        """Return whether the reason may be over by the next plan: then it is as if never seen."""
        return self in _PASSING


_PASSING = frozenset(
    {
        SkipReason.DUPLICATE_ID,
        SkipReason.TEXT_CHANGED,
        SkipReason.ROW_DELETED,
        SkipReason.EDITED,
        SkipReason.OTHER_VERSION,
    }
)

_EXPLANATIONS = {
    SkipReason.EMPTY_TEXT: "There is no text to ask about.",
    SkipReason.DUPLICATE_ID: "Another row has the same id and asks something else.",
    SkipReason.TEXT_CHANGED: "Its text changed while it was on its way; the next run asks again.",
    SkipReason.ROW_DELETED: "Its row was gone when the answer came.",
    SkipReason.OTHERS: "Somebody else wrote rows of this version there: they are left alone.",
    SkipReason.EDITED: "A person corrected its rows: they are left as they are.",
    SkipReason.UNSENDABLE: "Its text is not valid Unicode.",
    SkipReason.OTHER_VERSION: "Its answer came when another version was named; it is kept.",
    SkipReason.OVER_LIMIT: "Its text is longer than the embedding model reads.",
}


class Outcome(NamedTuple):
    """The end of one doc_id; `tries` is 0 where it was not asked so that it could have answered."""

    doc_id: UUID
    end: End
    reason: str | None = None
    detail: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    model_version: str | None = None
    raw: str | None = None
    tries: int = 1


@dataclass
class SliceTotals:
    """Sums over one slice's outcomes."""

    ends: Counter[End] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    measures: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.ends[outcome.end] += 1
        self.input_tokens += outcome.input_tokens
        self.output_tokens += outcome.output_tokens
        if outcome.reason:
            self.measures[f"{outcome.end}:{outcome.reason}"] += 1

    @property
    def requests(self) -> int:
        """How many targets have an end."""
        return self.ends.total()


def answer_to_use(
    verdict: Answered[Any] | Refused[Any], *, is_last: bool
) -> Answered[Any] | Refused[Any]:
    """Return the answer; of one that was cut off what could be read, once asking again is over."""
    if isinstance(verdict, Refused) and verdict.salvaged and is_last:
        return verdict.salvaged
    return verdict


def end_with_answer(
    target: Target, reply: Reply[Any], answered: Answered[Any], written: int
) -> Outcome:
    """Return the end of a target whose answer became so many rows."""
    return _end(target, reply, End.WRITTEN if written else End.EMPTY, _note(answered))


def _note(answered: Answered[Any]) -> str | None:
    """Return what is to be known of a usable answer; of several things the gravest."""
    if answered.lost_items:
        return "lost_items"
    return "mended" if answered.mended else "repaired" if answered.repaired else None


def end_without_answer(
    target: Target, reply: Reply[Any], why: Refused[Any], *, tries: int = 1
) -> Outcome:
    """Return the end of a target whose answer cannot be used, with the raw text for a person."""
    return _end(target, reply, End.BAD, str(why.reason), why.detail)._replace(tries=tries)


def _end(
    target: Target, reply: Reply[Any], end: End, reason: str | None, detail: str | None = None
) -> Outcome:
    response = reply.response
    if response is None:
        return Outcome(target.doc_id, end, reason, detail)
    return Outcome(
        target.doc_id,
        end,
        reason,
        detail,
        input_tokens=response.usage.input_tokens,
        output_tokens=response.usage.output_tokens + response.usage.thought_tokens,
        model_version=response.model_version,
        raw=response.text if end is End.BAD else None,
    )
