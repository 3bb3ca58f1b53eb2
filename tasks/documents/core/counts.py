"""How many rows ended how."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from tasks.core.errors import SumsError
from tasks.documents.core.document import RowEnd


class Portion(BaseModel):
    """A fixed set of CSV rows of one stage that is read, written and committed together."""

    model_config = ConfigDict(frozen=True)

    source_csv: str
    slice_id: str
    row_count: int


class PortionCount(BaseModel):
    """What became of the rows of one slice."""

    model_config = ConfigDict(frozen=True)

    slice_id: str
    written: int = 0
    bad: int = 0
    skipped: int = 0


def count(piece: Portion, ends: Iterable[RowEnd]) -> PortionCount:
    """Return a slice's counts; raise when a row has no end."""
    states = Counter(end.state for end in ends)
    if states.total() != piece.row_count:
        raise SumsError(
            f"Slice {piece.slice_id} was planned with {piece.row_count} rows and has"
            f" {states.total()} ends; start a new run, which plans again."
        )
    return PortionCount(slice_id=piece.slice_id, **states)


def by_stage(slices: Iterable[Portion], names: Iterable[str]) -> list[list[Portion]]:
    """Return slices grouped by their CSV, in the order in which the CSVs must be imported."""
    listed = list(slices)
    return [[s for s in listed if s.source_csv == name] for name in names]
