"""What the key's tier allows, from the dated table that ships with the product."""

import tomllib
from functools import cache
from pathlib import Path

from tasks.adapters.settings import settings

_PATH = Path(__file__).resolve().parents[1] / "tiers.toml"


def enqueued_tokens(model: str) -> int | None:
    """Return how many tokens may wait in batch jobs of a model; None when nobody has said."""
    here = settings()
    if here.enqueued_tokens is not None or here.tier is None:
        return here.enqueued_tokens
    limits = _table().get(model)
    return limits[here.tier - 1] if limits else None


@cache
def _table() -> dict[str, list[int]]:
    limits: dict[str, list[int]] = tomllib.loads(_PATH.read_text("utf-8"))["enqueued_tokens"]
    return limits
