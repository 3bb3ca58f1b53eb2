"""Rates over time as an SVG."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 320, 70, 44, 48
COLOURS = ("#9bb8ee", "#e0a23a", "#2f6fde")
SECONDS = 10.0
"""A slice ends with thousands of rows at once, so rates are of so many seconds."""


@dataclass(frozen=True)
class Line:
    """A count at some times, to be drawn as its rate."""

    label: str
    counts: Sequence[tuple[float, int]]

    @property
    def rates(self) -> list[tuple[float, float]]:
        """Seconds, and how many a second over the last few of them."""
        times = [at for at, _ in self.counts]
        found = [(0.0, 0.0)]
        for at, count in self.counts:
            since, before = self.counts[bisect_left(times, at - SECONDS)]
            found.append((at, (count - before) / (at - since) if at > since else 0.0))
        return found


def draw(title: str, lines: Sequence[Line]) -> str:
    """Return the lines' rates over time in one picture."""
    rates = [line.rates for line in lines]
    longest = max(at for each in rates for at, _ in each)
    highest = max(rate for each in rates for _, rate in each) or 1.0
    sx, sy = (WIDTH - LEFT - 20) / longest, (HEIGHT - TOP - BOTTOM) / highest
    parts = [_head(title), *_grid(longest, highest, sx, sy)]
    for place, (line, each) in enumerate(zip(lines, rates, strict=True)):
        colour = COLOURS[place % len(COLOURS)]
        points = " ".join(f"{LEFT + at * sx:.1f},{_y(rate, sy):.1f}" for at, rate in each)
        parts += [
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>',
            f'<text x="{LEFT + 180 * place}" y="40" fill="{colour}">{line.label}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _head(title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' height="{HEIGHT}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="12">\n'
        '<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="600" fill="#1b2b3a">{title}</text>'
    )


def _grid(longest: float, highest: float, sx: float, sy: float) -> list[str]:
    parts = []
    for step in range(5):
        rate, at = highest * step / 4, longest * step / 4
        y, x = _y(rate, sy), LEFT + at * sx
        parts += [
            f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e8ee"/>',
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{rate:,.0f}</text>',
            f'<text x="{x:.1f}" y="{HEIGHT - 20}" text-anchor="middle">{at:.0f} s</text>',
        ]
    return parts


def _y(rate: float, sy: float) -> float:
    return HEIGHT - BOTTOM - rate * sy
