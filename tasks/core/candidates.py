"""The answers that a text may hold beside prose, in fences, slightly wrong or cut off."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from tasks.core import lenient
from tasks.core.mending import Fitting
from tasks.core.salvage import decode, encode, is_beyond, says_something, segments

M = TypeVar("M", bound=BaseModel)

_LONGEST, _MOST_MARKS = 400_000, 30_000
"""Characters of a text that is looked into, and marks of JSON in it; a mark costs a microsecond."""


class Candidate(NamedTuple, Generic[M]):
    """One answer that a text holds; `is_full` where it holds anything itself."""

    answer: M
    is_full: bool
    mended: tuple[str, ...] = ()
    is_repaired: bool = False
    lost_items: bool = False


class Candidates(Generic[M]):
    """What stands in brackets in a text; `trouble` is what is wrong with the first that is JSON."""

    def __init__(self, text: str, fits: Fitting[M]) -> None:
        self._text = text
        self._fits = fits
        self.trouble: str | None = None

    def answers(self) -> list[Candidate[M]]:
        """Return the answers in their order: whole ones, and one that is slipped.

        What is slightly wrong or cut off counts only where no whole one holds anything.
        """
        if is_beyond(self._text, _LONGEST, _MOST_MARKS):
            return []
        whole = [found for place in self._places if (found := self._whole(*place))]
        if not any(found.is_full for _, found in whole) and (slipped := self._slipped()):
            whole = sorted([*whole, slipped], key=lambda each: each[0])
        return [found for _, found in whole]

    @cached_property
    def _places(self) -> list[tuple[int, int | None]]:
        return list(segments(self._text))

    def _whole(self, start: int, end: int | None) -> tuple[int, Candidate[M]] | None:
        """Return the answer that is JSON from bracket to bracket, and where it begins."""
        value = None if end is None else decode(self._text[start:end])
        encoded = None if value is None else encode(value)
        if encoded is None:
            return None
        try:
            return start, Candidate(self._fits.strictly(encoded), self._fits.is_full(value))
        except ValidationError as error:
            found = self._fits.mended(value, is_whole=True)
            if found is not None:
                return start, Candidate(found.answer, is_full=True, mended=found.notes)
            self.trouble = self.trouble or trouble_of(error, self._fits, self._fits.cause(value))
            return None

    def _slipped(self) -> tuple[int, Candidate[M]] | None:
        """Return the answer that is cut off, or of those that are slightly wrong the longest."""
        for start in self._worth_a_look():
            read = lenient.read(self._text, start)
            if read is None or not says_something(read.value):
                continue
            found = self._fits.mended(read.value, is_whole=not read.lost_items)
            if found is not None:
                return start, Candidate(
                    found.answer,
                    is_full=True,
                    mended=found.notes,
                    is_repaired=True,
                    lost_items=read.lost_items,
                )
        return None

    def _worth_a_look(self) -> Iterator[int]:
        if not self._places:
            return
        last, its_end = self._places[-1]
        if its_end is None:
            yield last
        length = len(self._text)
        longest, _ = max(self._places, key=lambda place: (place[1] or length) - place[0])
        if longest != last or its_end is not None:
            yield longest


def trouble_of(error: ValidationError, fits: Fitting[Any], field: str | None = None) -> str | None:
    """Return what is wrong with an answer, before all with a field; None where it is no JSON."""
    said = error.errors(include_url=False, include_context=False, include_input=False)
    if said[0]["type"] == "json_invalid":
        return None
    first = next((each for each in said if _path(fits.place(each["loc"])) == field), said[0])
    place = ".".join(str(part) for part in fits.place(first["loc"])) or "the whole"
    more = len(said) - 1
    return f"{place}: {first['msg']}" + (f" (and {more} more)" if more else "")


def _path(place: tuple[int | str, ...]) -> str:
    return ".".join(step for step in place if isinstance(step, str))
