"""Shares of a sample, each with the interval that holds the truth 95 times of 100.

For one share: E. B. Wilson (J. Am. Stat. Assoc. 22, 1927, 209-212). For the difference of two
shares of the same targets: R. G. Newcombe, method 10 (Stat. Med. 17, 1998, 2635-2650).
Both hold for a few dozen targets, and where a share is 0 or 1.
"""

from math import sqrt
from typing import NamedTuple

_Z = 1.959964


class Interval(NamedTuple):
    """What was measured, and between what the truth lies."""

    value: float
    low: float
    high: float


def share(some: int, of: int) -> Interval:
    """Return the share of some among all; of none nothing is known."""
    if not of:
        return Interval(0.0, 0.0, 1.0)
    found, square = some / of, _Z * _Z
    middle = found + square / (2 * of)
    reach = _Z * sqrt(found * (1 - found) / of + square / (4 * of * of))
    low, high = ((middle + sign * reach) / (1 + square / of) for sign in (-1, 1))
    return Interval(found, min(found, max(0.0, low)), max(found, min(1.0, high)))


def difference(both: int, first: int, second: int, neither: int) -> Interval:
    """Return by how much the second share is greater than the first, of the same targets.

    So many of them count in both shares, in the first alone, in the second alone, in neither.
    """
    of = both + first + second + neither
    if not of:
        return Interval(0.0, -1.0, 1.0)
    one, other = share(both + first, of), share(both + second, of)
    alike = _alike(both, first, second, neither)
    found = (second - first) / of
    low = _reach(other.value - other.low, one.high - one.value, alike)
    high = _reach(other.high - other.value, one.value - one.low, alike)
    return Interval(found, max(-1.0, found - low), min(1.0, found + high))


def _reach(one: float, other: float, alike: float) -> float:
    return sqrt(max(0.0, one * one - 2 * alike * one * other + other * other))


def _alike(both: int, first: int, second: int, neither: int) -> float:
    """Return how far both shares go together, as Newcombe corrects it for small samples."""
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if not margins:
        return 0.0
    together = float(both * neither - first * second)
    if together > 0:
        together = max(0.0, together - (both + first + second + neither) / 2)
    return together / sqrt(margins)
