"""The dated table of models that ships with the product."""

import tomllib
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from tasks.core.model_table import ModelTable
from tasks.core.money import Transport
from tasks.core.responses import Usage

_PATH = Path(__file__).resolve().parents[1] / "models.toml"


@cache
def models() -> ModelTable:
    """Return every model's row."""
    return ModelTable.model_validate(tomllib.loads(_PATH.read_text(encoding="utf-8")))


def searches(model: str, usage: Usage) -> int:
    """Return how many searches the model's answers are billed for."""
    row = models().billed(model, today())
    return usage.searches if row.search_per == "query" else usage.searched


def usd_of(model: str, usage: Usage, transport: Transport) -> float:
    """Return what a request, or the sum of many, cost at today's price of the model."""
    row = models().billed(model, today())
    return row.price_on(today()).usd(
        usage.input_tokens,
        usage.output_tokens + usage.thought_tokens,
        transport,
        cached_tokens=usage.cached_tokens,
        searches=searches(model, usage),
    )


def today() -> date:
    """Return the day by which prices and lives of models are judged."""
    return datetime.now(UTC).date()
