"""Named SQL statements, read from the files under sql/."""

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

SQL_ROOT = Path(__file__).resolve().parents[2] / "sql"
_HEADING = re.compile(r"^-- name: (\w+)[ \t]*\n", re.MULTILINE)


@cache
def load(path: str) -> dict[str, LiteralString]:
    """Return the statements of one file under sql/ by their `-- name:` headings."""
    pieces = _HEADING.split((SQL_ROOT / path).read_text(encoding="utf-8"))
    # The files are part of this repository, as safe as if the statements stood in the code.
    return {
        name: cast("LiteralString", statement.strip().rstrip(";"))
        for name, statement in zip(pieces[1::2], pieces[2::2], strict=True)
    }
