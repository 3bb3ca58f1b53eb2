"""Rows that a person judges: the lines of a CSV as it goes out, and as it comes back."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import zip_longest
from typing import Any, NamedTuple

import orjson

from tasks.core.csv_cells import safe, shown, unsafe
from tasks.core.errors import PreflightError
from tasks.core.intervals import Interval, share

PRECISION = "precision"
"""What a gate calls the share of right ones among the rows judged of targets drawn at random."""

RANDOM = "random"
"""Why a target was chosen that stands for all."""

FAULTS_SHOWN = 20
_REVIEW, _TARGET, _VERDICT, _COMMENT = "review", "target_id", "verdict", "comment"
_CORRECTED = "corrected_"


class Verdict(StrEnum):
    """What a person says of a row."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"


class Line(NamedTuple):
    """One verdict as it came back: of a row that was reviewed, or of one that should be there."""

    record: int
    review_id: int | None
    target_id: str
    verdict: Verdict
    corrected: Mapping[str, str]
    comment: str


class Judged(NamedTuple):
    """What people said of a version: of rows drawn at random, of doubtful ones, and what lacks."""

    extractor_version: str
    random_right: int
    random_judged: int
    doubtful_right: int
    doubtful_judged: int
    missing: int

    @property
    def precision(self) -> Interval | None:
        """Return the share that is right of those drawn at random; they stand for all."""
        return share(self.random_right, self.random_judged) if self.random_judged else None

    def sentence(self) -> str:
        """Return it for a person."""
        said = f"{self.extractor_version}: "
        if found := self.precision:
            said += (
                f"{found.value:.1%} of {self.random_judged:,} rows drawn at random are right"
                f" ({found.low:.1%} to {found.high:.1%}, 95 %)"
            )
        else:
            said += "no row drawn at random is judged"
        if self.doubtful_judged:
            said += f"; {self.doubtful_right:,} of {self.doubtful_judged:,} doubtful ones"
        return said + (f"; {self.missing:,} are missing" if self.missing else "") + "."


class LineError(ValueError):
    """A line cannot be taken; the message says why."""


def header(columns: Sequence[str]) -> list[str]:
    """Return the CSV's columns; `columns` are what a row holds."""
    asked = [f"{_CORRECTED}{name}" for name in columns]
    return [_REVIEW, _TARGET, *columns, "quotes", "chosen", _VERDICT, *asked, _COMMENT]


def cells(  # noqa: PLR0913, PLR0917 - what one line says
    review_id: int,
    target_id: str,
    columns: Sequence[str],
    found: Mapping[str, Any],
    quotes: Sequence[str],
    chosen: Sequence[str],
) -> list[str]:
    """Return a row as a line to be judged; no cell is a formula."""
    told = [shown(found.get(name)) for name in columns]
    cells = [str(review_id), target_id, *told, " … ".join(quotes), "; ".join(chosen)]
    return [*(safe(cell, "quoted") for cell in cells), *[""] * (len(columns) + 2)]


def checked(name: str, given: Sequence[str], columns: Sequence[str]) -> None:
    """Raise one sentence for a header that verdicts cannot be read by."""
    for wanted in (_REVIEW, _TARGET, _VERDICT, _COMMENT):
        if given.count(wanted) != 1:
            raise PreflightError(
                f"{name} has {'no' if wanted not in given else 'more than one'} column '{wanted}':"
                " give back the file that review/sample wrote, with its header."
            )
    known = {f"{_CORRECTED}{column}" for column in columns}
    if unknown := [each for each in given if each.startswith(_CORRECTED) and each not in known]:
        raise PreflightError(
            f"{name} has a column '{unknown[0]}', and no such value is written: it can be"
            f" {', '.join(sorted(known))}."
        )


def line(
    record: int, names: Sequence[str], given: Sequence[str], closed: Mapping[str, Sequence[str]]
) -> Line | None:
    """Return the verdict of a record; None where it has none yet. Raises LineError.

    What is `closed` may only be corrected to one of its words.
    """
    if any(cell.strip() for cell in given[len(names) :]):
        raise LineError(f"it has {len(given)} values instead of {len(names)}")
    # A spreadsheet may leave out what is empty at the end.
    told = zip_longest(names, given[: len(names)], fillvalue="")
    said = {name: unsafe(cell.strip()) for name, cell in told}
    corrected = {
        name.removeprefix(_CORRECTED): cell
        for name, cell in said.items()
        if name.startswith(_CORRECTED) and cell
    }
    for name, cell in corrected.items():
        if name in closed and not {each.strip() for each in cell.split(",")} <= {*closed[name]}:
            raise LineError(f"'{cell}' is no {name}: it has to be one of {', '.join(closed[name])}")
    word, number = said[_VERDICT].casefold(), said[_REVIEW]
    if not word:
        if corrected or said[_COMMENT]:
            raise LineError("it has a correction or a comment and no verdict: write one")
        return None
    if word not in set(Verdict):
        raise LineError(f"'{said[_VERDICT]}' is no verdict: write {', '.join(Verdict)}")
    verdict = Verdict(word)
    if verdict is Verdict.RIGHT and corrected:
        raise LineError("it is right and has a correction: write wrong, or empty the correction")
    if verdict is Verdict.MISSING and number:
        raise LineError(
            "a missing row has a line of its own: leave its review empty and name its target_id"
        )
    if verdict is not Verdict.MISSING and not number.isdecimal():
        raise LineError(f"its review is '{number}' and not the number that review/sample wrote")
    return Line(
        record, int(number) if number else None, said[_TARGET], verdict, corrected, said[_COMMENT]
    )


def as_value(cell: str, before: object) -> object:
    """Return a corrected cell as JSON of the kind that stood there before. Raises LineError."""
    if before is None or isinstance(before, str):
        return cell
    if isinstance(before, list) and not cell.startswith("["):
        return [each.strip() for each in cell.split(",")]
    try:
        return orjson.loads(cell.lower() if isinstance(before, bool) else cell)
    except orjson.JSONDecodeError:
        kind = "a number" if isinstance(before, int | float) else "JSON"
        raise LineError(f"'{cell}' cannot be written: it has to be {kind}") from None


def refused(name: str, records: int, faults: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Yield what is said of a file of which nothing is taken: how much, then each bad line."""
    yield f"{len(faults):,} of {records:,} records of {name} cannot be taken, so none was."
    for record, why in faults[:FAULTS_SHOWN]:
        yield f"Record {record}: {why}."
    if len(faults) > FAULTS_SHOWN:
        yield f"And {len(faults) - FAULTS_SHOWN:,} more."
