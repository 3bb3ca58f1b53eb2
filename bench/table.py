"""The one table of `make bench`: benches hand in rows, and the table says what was met."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import orjson

ROWS = "BENCH_ROWS"
"""Names the file that takes a bench's rows; without it they are only printed."""

_HEAD = ("row", "what", "ours", "floor", "ratio, min (median)", "target", "met")
_MET = {"yes": True, "NO": False, "": None}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was measured, ours and the floor in words, their ratio, and the target."""

    number: int
    what: str
    ours: str
    floor: str = ""
    ratio: str = ""
    target: str = ""
    is_met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it."""
        met = {value: word for word, value in _MET.items()}[self.is_met]
        number = str(self.number)
        return (number, self.what, self.ours, self.floor, self.ratio, self.target, met)


def ratio(ours: Sequence[float], floor: Sequence[float]) -> str:
    """Return how many times the floor ours is: of the best rounds, of the median ones."""
    return f"{min(ours) / min(floor):.2f} ({median(ours) / median(floor):.2f})"


def spread(values: Sequence[float], unit: str = "", digits: int = 2) -> str:
    """Return the least value and the median of some rounds."""
    return f"{min(values):,.{digits}f} ({median(values):,.{digits}f}){unit}"


def emit(row: Row) -> None:
    """Hand a row in; a bench that is run by hand prints it."""
    if path := os.environ.get(ROWS):
        with Path(path).open("ab") as file:
            file.write(orjson.dumps(asdict(row), option=orjson.OPT_APPEND_NEWLINE))
    else:
        print(" | ".join(row.cells))


def collect(path: Path) -> list[Row]:
    """Return the rows that a bench has handed in."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [Row(**orjson.loads(line)) for line in lines]


def render(rows: Iterable[Row]) -> str:
    """Return the table as Markdown whose columns also line up in a terminal."""
    lines = [_HEAD, *(row.cells for row in sorted(rows, key=lambda row: row.number))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])


def parsed(table: str) -> list[Row]:
    """Return the rows of what was rendered."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    return [
        Row(int(number), *said, is_met=_MET.get(met))
        for number, *said, met in filter(None, lines)
        if number.isdecimal()
    ]
