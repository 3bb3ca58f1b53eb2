"""Which response belongs to which request: joined by key, never by position."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, Self, TypeVar

from tasks.core.answers import Answered, Refused, missing, unreadable
from tasks.core.responses import Response, Unreadable, Usage

A = TypeVar("A")
_Line = Response | Unreadable
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

        Of several lines with one key the best is taken: answered over repaired over refused, then
        the smallest in code-point order, so that the order of lines decides nothing.
        """
        for key, lines in self._lines.items():
            replies = [_reply(key, line, judge) for line in lines] or [Reply(key, missing())]
            yield replies[0] if len(replies) == 1 else min(replies, key=_rank)

    def _keep(self, key: str, line: _Line) -> None:
        """Keep a line with its key, or count that nobody asked for it."""
        lines = self._lines.get(key)
        if lines is None:
            self.unknown += 1
            return
        self.duplicates += bool(lines)
        lines.append(line)


def _reply(key: str, line: _Line, judge: _Judge[A]) -> Reply[A]:
    if isinstance(line, Unreadable):
        return Reply(key, unreadable(line.reason))
    return Reply(key, judge(line), line)


def _rank(reply: Reply[Any]) -> tuple[bool, bool, bool, bool, str]:
    """Return a total order in which the best reply comes first."""
    verdict, response = reply.verdict, reply.response
    if isinstance(verdict, Answered):
        return (False, verdict.repaired, False, False, repr(response))
    return (True, False, verdict.salvaged is None, response is None, repr(reply))
