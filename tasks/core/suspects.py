"""Rows that the service refused, until it is known whether they are at fault, or what all share."""

from collections.abc import Callable
from typing import NamedTuple

from tasks.core.models import Member

ALIKE = 10
"""So many equal refusals with no answer in between are no row's own fault."""


class Suspect(NamedTuple):
    """A target whose request a model refused, and the service's words."""

    member: Member
    model: str
    said: str


class Suspects:
    """The refused rows of one slice, each model's apart."""

    def __init__(self) -> None:
        self._held: list[Suspect] = []
        self._answering: set[str] = set()

    def hold(self, suspect: Suspect) -> int:
        """Keep a row back; return how many of its model's are now held for the same words."""
        self._held.append(suspect)
        return sum(suspect[1:] == other[1:] for other in self._held)

    def answered(self, model: str) -> list[Suspect]:
        """Take note that a model answers; return whom that shows to be at fault, no longer held."""
        self._answering.add(model)
        return self._taken(lambda suspect: suspect.model == model)

    def unclear(self) -> list[Suspect]:
        """Return the rows of models that have answered nothing."""
        return [suspect for suspect in self._held if suspect.model not in self._answering]

    def rest(self) -> list[Suspect]:
        """Return all rows that are still held, no longer held."""
        return self._taken(lambda _: True)

    def _taken(self, is_meant: Callable[[Suspect], bool]) -> list[Suspect]:
        taken = [suspect for suspect in self._held if is_meant(suspect)]
        self._held = [suspect for suspect in self._held if not is_meant(suspect)]
        return taken
