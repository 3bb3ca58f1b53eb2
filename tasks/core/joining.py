"""Which response belongs to which request: joined by key, never by position."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, Self, TypeVar

from tasks.core.answers import Answered, Refused, missing, unreadable
from tasks.core.responses import Response, Unreadable, Usage

A = TypeVar("A")


class Outcome(NamedTuple, Generic[A]):
    """What became of one request; `response` is None where no line could be read for it."""

    verdict: Answered[A] | Refused[A]
    response: Response | None = None


class Join(Generic[A]):
    """The outcomes of one slice by key, whatever order its lines arrive in.

    Of several lines with one key the best is kept: answered over repaired over refused, then the
    smallest in code-point order, so that order cannot decide. Memory is bounded by the slice.

    Attributes:
        outcomes: by key, for the keys seen so far.
        duplicates: how many lines repeated a key.
        unknown: how many lines had a key that nobody asked for, and the first few of these keys.
        unreadable: how many lines could not be read at all.
        usage: tokens over all readable lines; repeated and unknown ones are billed too.
    """

    def __init__(
        self,
        expected: Iterable[str],
        judge: Callable[[Response], Answered[A] | Refused[A]],
    ) -> None:
        self._expected = dict.fromkeys(expected)
        self._judge = judge
        self.outcomes: dict[str, Outcome[A]] = {}
        self.duplicates = 0
        self.unknown = 0
        self.unknown_keys: list[str] = []
        self.unreadable = 0
        self.usage = Usage()

    def read(self, lines: Iterable[Response | Unreadable]) -> Self:
        """Take in lines, and return this join."""
        for line in lines:
            self.add(line)
        return self

    def add(self, line: Response | Unreadable) -> None:
        """Take in one line."""
        if isinstance(line, Unreadable):
            self.unreadable += 1
            if line.key in self._expected:
                self._keep(line.key, Outcome(unreadable(line.reason)))
            return
        self.usage = Usage(*map(int.__add__, self.usage, line.usage))
        if line.key not in self._expected:
            self.unknown += 1
            if len(self.unknown_keys) < _SHOWN:
                self.unknown_keys.append(line.key)
            return
        self._keep(line.key, Outcome(self._judge(line), line))

    def missing(self) -> list[str]:
        """Return the keys without any line, in the order they were expected."""
        return [key for key in self._expected if key not in self.outcomes]

    def complete(self) -> dict[str, Outcome[A]]:
        """Return an outcome for every expected key, in the order they were expected."""
        nothing = Outcome[Any](missing())
        return {key: self.outcomes.get(key, nothing) for key in self._expected}

    def _keep(self, key: str, outcome: Outcome[A]) -> None:
        known = self.outcomes.get(key)
        if known is not None:
            self.duplicates += 1
            outcome = min(known, outcome, key=_rank)
        self.outcomes[key] = outcome


_SHOWN = 5


def _rank(outcome: Outcome[Any]) -> tuple[bool, bool, bool, bool, str]:
    """Return a total order in which the best outcome comes first."""
    verdict, response = outcome
    if isinstance(verdict, Answered):
        return (False, verdict.repaired, False, False, repr(outcome))
    return (True, False, verdict.salvaged is None, response is None, repr(outcome))
