"""Charts of a QC report as data: panels of bars, drawn by a template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_BARS = 12
ROW_HEIGHT = 22
HEAD_HEIGHT = 44
PANEL_WIDTH = 470


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, or two: ours, and beside it what it is compared with. Shares are of the longest."""

    label: str
    share: float
    text: str
    beside: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart."""

    title: str
    bars: Sequence[Bar]

    @property
    def height(self) -> int:
        """Pixels from its title to the end of its last bar."""
        return HEAD_HEIGHT + ROW_HEIGHT * len(self.bars)


@dataclass(frozen=True, slots=True)
class PlacedPanel:
    """A panel and where its upper left corner is."""

    panel: Panel
    x: int
    y: int


def counts(title: str, numbers: Mapping[str, float], unit: str = "{:,.0f}") -> Panel | None:
    """Return a panel of plain bars, or None when there is nothing to draw."""
    if not numbers:
        return None
    most = max(numbers.values()) or 1
    shown = list(numbers.items())[:MOST_BARS]
    bars = [Bar(label, value / most, unit.format(value)) for label, value in shown]
    if rest := len(numbers) - len(shown):
        bars.append(Bar(f"and {rest} more", 0, ""))
    return Panel(title, bars)


def compared(title: str, rows: Iterable[Mapping[str, Any]], *, has_other: bool) -> Panel | None:
    """Return a panel of our shares, beside those of another version where there is one."""
    rows = list(rows)[:MOST_BARS]
    if not rows:
        return None
    most = max(max(row["our_share"], row["their_share"]) for row in rows) or 1
    return Panel(
        title,
        [
            Bar(
                row["label"],
                row["our_share"] / most,
                f"{row['our_share']:.0%}" + (f" / {row['their_share']:.0%}" if has_other else ""),
                row["their_share"] / most,
            )
            for row in rows
        ],
    )


def cost_over_time(slices: Iterable[Mapping[str, Any]]) -> Panel | None:
    """Return what had been spent by when, in at most a dozen steps."""
    done = sorted(
        (each for each in slices if each["finished_at"] and each["cost_usd"]),
        key=lambda each: each["finished_at"],
    )
    steps: dict[str, float] = {}
    spent = 0.0
    stride = -(-len(done) // MOST_BARS) or 1
    for number, each in enumerate(done, start=1):
        spent += float(each["cost_usd"])
        if number % stride == 0 or number == len(done):
            steps[f"{each['finished_at']:%m-%d %H:%M:%S}"] = spent
    return counts("Cost over time, USD", steps, "{:.4f}")


def lay_out(panels: Iterable[Panel | None]) -> tuple[list[PlacedPanel], int]:
    """Return where panels stand in two columns, each in the shorter one, and the height of all."""
    heights = [0, 0]
    places = []
    for panel in filter(None, panels):
        column = 0 if heights[0] <= heights[1] else 1
        places.append(PlacedPanel(panel, column * PANEL_WIDTH, heights[column]))
        heights[column] += panel.height + 16
    return places, max(heights)
