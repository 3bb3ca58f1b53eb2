"""What the service's models allow, cost and let wait: one dated table, read by pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from tasks.core.errors import PreflightError
from tasks.core.money import Price, mixed

Level = Literal["minimal", "low", "medium", "high"]
Thinking = Level | Literal["least", "default"] | int
"""How much a model may think before it answers: as little as it lets itself be told ("least"), as
it likes ("default"), by level, or by a budget in tokens."""

FRESH = timedelta(days=60)
"""How long a row of the table is trusted, and how long before its end a model is spoken of."""

_LEAST: Mapping[str, dict[str, object]] = {
    "budget 0": {"thinkingBudget": 0},
    "level minimal": {"thinkingLevel": "MINIMAL"},
    "level low": {"thinkingLevel": "LOW"},
    "none": {},
}


class Model(BaseModel):
    """One model's row; tasks/models.toml says what each column means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: date
    makes: Literal["answers", "vectors"] = "answers"
    new_keys: bool
    ends: date | None = None
    ends_earliest: date | None = None
    routed_to: str = ""
    thinking: Literal["budget 0", "level minimal", "level low", "none"] = "none"
    budgets: bool = False
    budget_0: bool = False
    levels: tuple[Level, ...] = ()
    thoughts: int = 0
    sampling: Literal["allowed", "ignored", "refused"] = "allowed"
    search_with_schema: bool = False
    search_per: Literal["query", "request"] = "query"
    item_limits: bool = True
    input_limit: int = 1_048_576
    output_limit: int = 65_536
    enqueued: tuple[int, int, int] | None = None
    enqueued_as: str = ""
    prices: tuple[Price, ...]
    source: str

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if not self.prices or not self.source.strip():
            raise ValueError("a model needs a price and a source")
        if any(one.since >= two.since for one, two in pairwise(self.prices)):
            raise ValueError("prices stand in the order of their days")
        return self

    def thinking_config(self, wanted: Thinking) -> dict[str, object]:
        """Return the request's thinkingConfig; an empty one is not to be sent."""
        if wanted == "default":
            return {}
        if wanted == "least":
            return _LEAST[self.thinking]
        if isinstance(wanted, int):
            return {"thinkingBudget": wanted}
        return {"thinkingLevel": wanted.upper()}

    def price_on(self, day: date) -> Price:
        """Return the price of a day."""
        return [self.prices[0], *(step for step in self.prices if step.since <= day)][-1]

    def price_over(self, day: date, days: float) -> Price:
        """Return the mean price of a run that begins on a day and spreads evenly over so many."""
        begins, ends = float(day.toordinal()), day.toordinal() + days
        steps = [step for step in self.prices if begins < step.since.toordinal() < ends]
        borders = [begins, *(float(step.since.toordinal()) for step in steps), ends]
        if not steps:
            return self.price_on(day)
        return mixed(
            [
                ((until - since) / days, self.price_on(date.fromordinal(int(since))))
                for since, until in pairwise(borders)
            ]
        )

    def next_step(self, day: date, days: float) -> Price | None:
        """Return the first price that begins within a run's days."""
        until = day.toordinal() + days
        return next((step for step in self.prices if day < step.since < _day(until)), None)


class ModelTable(BaseModel):
    """All rows by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: Mapping[str, Model]

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for name, model in self.models.items():
            for other in (model.routed_to, model.enqueued_as):
                if other and other not in self.models:
                    raise ValueError(f"{name} names {other}, which has no row")
        return self

    def find(self, name: str) -> Model:
        """Return a model's row; raise one sentence when there is none."""
        if model := self.models.get(name):
            return model
        near = get_close_matches(name, self.models, n=1, cutoff=0.6)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise PreflightError(
            f"There is no model '{name}' in tasks/models.toml{meant} (it has:"
            f" {', '.join(sorted(self.models))}). Correct the model, or add its row with a source."
        )

    def living(self, name: str, day: date) -> Model:
        """Return who answers under a name on a day; raise a sentence when it was shut down."""
        model = self.billed(name, day)
        if model.ends is None or model.ends > day:
            return model
        raise PreflightError(
            f"Model '{name}' was shut down on {model.ends}: name a living one, such as"
            f' model = "{self.successor(name, day)}", and a new extractor_version.'
        )

    def successor(self, name: str, day: date) -> str:
        """Return the cheapest model of the same kind that any key may use and that goes on."""
        kind = self.find(name).makes
        open_to_all = [
            (model.price_on(day).batch_output, model.price_on(day).batch_input, other)
            for other, model in self.models.items()
            if model.makes == kind and model.new_keys and other != name and not _ends(model, day)
        ]
        return min(open_to_all)[-1]

    def billed(self, name: str, day: date) -> Model:
        """Return whose prices count on a day; of a model that was shut down, its own last ones."""
        model = self.find(name)
        is_routed = model.ends is not None and model.ends <= day and model.routed_to
        return self.billed(model.routed_to, day) if is_routed else model

    def enqueued(self, name: str) -> tuple[Sequence[int] | None, bool]:
        """Return the tokens that may wait at tiers 1 to 3, and whether they are a relative's."""
        model = self.find(name)
        if model.enqueued is None and model.enqueued_as:
            return self.find(model.enqueued_as).enqueued, True
        return model.enqueued, False

    def remarks(self, name: str, day: date) -> Iterator[str]:
        """Yield what a person should know of a model although it stops nothing."""
        model = self.find(name)
        if not model.new_keys:
            yield (
                f"{name} is closed to keys that never used it, whatever models.get says: with a new"
                f' key write model = "{self.successor(name, day)}".'
            )
        if _ends(model, day):
            yield f'{name} {_end(model, day)}: write model = "{self.successor(name, day)}" in time.'

    def stale(self, day: date) -> list[str]:
        """Return the names of the rows that nobody has read again for 60 days."""
        return [name for name, model in self.models.items() if day - model.read > FRESH]


def _ends(model: Model, day: date) -> bool:
    end = model.ends or model.ends_earliest
    return end is not None and end <= day + FRESH


def _end(model: Model, day: date) -> str:
    if model.ends is None:
        return f"may be shut down from {model.ends_earliest} on"
    verb = "was" if model.ends <= day else "will be"
    what = f"routed to {model.routed_to}, at its prices," if model.routed_to else "shut down"
    return f"{verb} {what} on {model.ends}"


def _day(ordinal: float) -> date:
    return date.fromordinal(int(ordinal) + (ordinal != int(ordinal)))
