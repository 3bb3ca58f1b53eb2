"""What somebody asks `make new` for, and what of it cannot be."""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import NoReturn

from tasks.core.errors import SettingsError

NEW, IN_PLACE = "new", "in-place"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


@dataclass(frozen=True)
class Wish:
    """The arguments as they were given; what is empty was left out.

    Attributes:
        text: a column, or a template over columns.
        target: the table that answers go to; it may be there or not.
        columns: in place, the columns to fill.
        of: the declaration that is to be asked of another table.
    """

    name: str
    table: str
    id: str
    text: str
    target: str = ""
    where: str = ""
    kind: str = ""
    columns: tuple[str, ...] = ()
    of: str = ""

    @property
    def is_in_place(self) -> bool:
        """Return whether answers fill columns of the table's own rows."""
        return self.kind == IN_PLACE or (not self.kind and self.target == self.table)

    @property
    def goes_to(self) -> str:
        """Return the table that answers go to; a new one has the backfill's name."""
        return self.table if self.is_in_place else self.target or self.name

    def check(self, known: Container[str]) -> None:
        """Raise SettingsError for the first thing that cannot be, before any table is read."""
        for key in ("name", "table", "id", "text"):
            if not getattr(self, key):
                _refuse(f"{key.upper()} is missing: {_EXAMPLE}")
        if not _NAME.fullmatch(self.name):
            _refuse(f"NAME={self.name} is no name: lower case letters, digits and _")
        if self.name in known:
            _refuse(f"NAME={self.name} is taken: there is such a backfill")
        if self.kind not in ("", NEW, IN_PLACE):
            _refuse(f"KIND={self.kind} is unknown: new or in-place")
        if self.kind == NEW and self.target == self.table:
            _refuse("KIND=new wants another TARGET than TABLE; KIND=in-place fills TABLE itself")
        if self.kind == IN_PLACE and self.target not in ("", self.table):
            _refuse("KIND=in-place fills columns of TABLE itself: leave TARGET away")
        if self.columns and not self.is_in_place:
            _refuse("COLUMNS names what is filled in place: say KIND=in-place with it")


_EXAMPLE = "make new NAME=review_tones TABLE=reviews ID=review_id TEXT=body"


def _refuse(what: str) -> NoReturn:
    raise SettingsError(f"{what}.")
