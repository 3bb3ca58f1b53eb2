"""What ships with the product: prices and limits, each with its date."""

import tomllib
from functools import cache
from pathlib import Path

from tasks.adapters.settings import settings
from tasks.core.money import PriceList

_ROOT = Path(__file__).resolve().parents[1]


@cache
def prices() -> PriceList:
    """Return all prices with the day on which they were read."""
    return PriceList.model_validate(tomllib.loads(_text("prices.toml")))


def enqueued_tokens(model: str) -> int | None:
    """Return how many tokens may wait in batch jobs of a model; None when nobody has said."""
    here = settings()
    if here.enqueued_tokens is not None or here.tier is None:
        return here.enqueued_tokens
    limits = _limits_by_tier().get(model)
    return limits[here.tier - 1] if limits else None


@cache
def _limits_by_tier() -> dict[str, list[int]]:
    limits: dict[str, list[int]] = tomllib.loads(_text("tiers.toml"))["enqueued_tokens"]
    return limits


def _text(path: str) -> str:
    return (_ROOT / path).read_text(encoding="utf-8")
