"""Which response belongs to which request: joined by key, never by position."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

from msgspec import Struct

from tasks.core.answers import Answered, Refused, missing, unreadable
from tasks.core.responses import Response, Unreadable, Usage

A = TypeVar("A")
_Line = Response | Unreadable
_UNKNOWN = Unreadable(0, "a key that nobody asked for")
_SHOWN = 5  # unknown keys that are kept for the message


class Outcome(Struct, Generic[A], frozen=True, gc=False):
    """What became of one request; `response` is None where no line could be read for it."""

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
        unknown_keys: the first few of these keys.
        unreadable: how many lines could not be read, or had no key.
        usage: tokens over all readable lines; repeated and unknown ones are billed too.
    """

    def __init__(self, expected: Iterable[str]) -> None:
        self._lines: dict[str, _Line | list[_Line] | None] = dict.fromkeys(expected)
        self.duplicates = 0
        self.unknown = 0
        self.unknown_keys: list[str] = []
        self.unreadable = 0
        self.usage = Usage()

    def read(self, lines: Iterable[_Line]) -> Self:
        """Take in lines, and return this join."""
        lines_by_key, known = self._lines, self._lines.get
        given = written = thought = cached = 0
        for line in lines:
            if isinstance(line, Unreadable):
                self.unreadable += 1
            else:
                usage = line.usage
                given += usage.input_tokens
                written += usage.output_tokens
                thought += usage.thought_tokens
                cached += usage.cached_tokens
            key = line.key
            if key is not None and known(key, _UNKNOWN) is None:
                lines_by_key[key] = line  # nearly always: no list for one line
            else:
                self._keep(key, line)
        before = self.usage
        self.usage = Usage(
            before.input_tokens + given,
            before.output_tokens + written,
            before.thought_tokens + thought,
            before.cached_tokens + cached,
        )
        return self

    def missing(self) -> list[str]:
        """Return the keys without any line, in the order they were expected."""
        return [key for key, line in self._lines.items() if line is None]

    def outcomes(
        self, judge: Callable[[Response], Answered[A] | Refused[A]]
    ) -> Iterator[Outcome[A]]:
        """Yield one outcome for every expected key, in the order they were expected.

        Of several lines with one key the best is taken: answered over repaired over refused, then
        the smallest in code-point order, so that the order of lines decides nothing.
        """
        for key, line in self._lines.items():
            if type(line) is Response:  # nearly always
                yield Outcome(key, judge(line), line)
            elif line is None:
                yield Outcome(key, missing())
            elif isinstance(line, list):
                yield min((_outcome(key, each, judge) for each in line), key=_rank)
            else:
                yield _outcome(key, line, judge)

    def _keep(self, key: str | None, line: _Line) -> None:
        """Keep a line that repeats a key, count one that nobody asked for."""
        if key in self._lines:
            self.duplicates += 1
            before = self._lines[key]
            several = before if isinstance(before, list) else [before]
            self._lines[key] = [*several, line]
        elif key is not None:
            self.unknown += 1
            if len(self.unknown_keys) < _SHOWN:
                self.unknown_keys.append(key)


def _outcome(
    key: str,
    line: _Line,
    judge: Callable[[Response], Answered[A] | Refused[A]],
) -> Outcome[A]:
    if isinstance(line, Unreadable):
        return Outcome(key, unreadable(line.reason))
    return Outcome(key, judge(line), line)


def _rank(outcome: Outcome[Any]) -> tuple[bool, bool, bool, bool, str]:
    """Return a total order in which the best outcome comes first."""
    verdict, response = outcome.verdict, outcome.response
    if isinstance(verdict, Answered):
        return (False, verdict.repaired, False, False, repr(response))
    return (True, False, verdict.salvaged is None, response is None, repr(outcome))
