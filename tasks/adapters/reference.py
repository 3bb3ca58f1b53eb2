"""The dated price list that ships with the product."""

import tomllib
from functools import cache
from pathlib import Path

from tasks.core.money import PriceList

_PATH = Path(__file__).resolve().parents[1] / "prices.toml"


@cache
def prices() -> PriceList:
    """Return all prices with the day on which they were read."""
    return PriceList.model_validate(tomllib.loads(_PATH.read_text(encoding="utf-8")))
