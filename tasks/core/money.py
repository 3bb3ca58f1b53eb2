"""Tokens into dollars, by a dated price list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tasks.core.errors import PreflightError

Transport = Literal["batch", "interactive"]
MILLION = 1_000_000


class Price(BaseModel):
    """USD per million tokens of one model, at the standard price, and the share batch pays."""

    model_config = ConfigDict(frozen=True)

    input: float
    output: float
    batch_share: float | None = 0.5
    shut_down: date | None = None
    source: str

    def usd(self, input_tokens: float, output_tokens: float, transport: Transport) -> float:
        """Return what these tokens cost."""
        share = (self.batch_share or 1.0) if transport == "batch" else 1.0
        return (input_tokens * self.input + output_tokens * self.output) / MILLION * share


class PriceList(BaseModel):
    """All prices, and the day on which they were read."""

    model_config = ConfigDict(frozen=True)

    as_of: date
    models: Mapping[str, Price]

    def price(self, model: str, today: date) -> Price:
        """Return a model's price; raise a sentence when it is unknown or shut down."""
        price = self.models.get(model)
        if price is None:
            known = ", ".join(sorted(self.models))
            message = (
                f"There is no price for model '{model}' in tasks/prices.toml (it has: {known})."
                " Correct the backfill's model, or add its price with a source."
            )
            raise PreflightError(message)
        if price.shut_down and price.shut_down <= today:
            message = (
                f"Model '{model}' was shut down on {price.shut_down}."
                " Name a living model in the backfill, under a new extractor_version."
            )
            raise PreflightError(message)
        return price


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would send, receive and cost; per-request tokens say where they come from."""

    targets: int
    slices: int
    input_bytes: int
    guessed_input_tokens: int
    input_tokens_per_request: float
    output_tokens_per_request: float
    source: str
    model: str
    price: Price
    prices_as_of: date
    transport: Transport = "batch"
    embedding_price: Price | None = None
    embedding_tokens_per_request: float = 0.0

    @property
    def input_tokens(self) -> float:
        """Tokens to send."""
        return self.targets * self.input_tokens_per_request

    @property
    def output_tokens(self) -> float:
        """Tokens to receive."""
        return self.targets * self.output_tokens_per_request

    def usd(self, transport: Transport | None = None) -> float:
        """Return the cost of everything that is still to be asked, by the run's own transport."""
        chosen = transport or self.transport
        answers = self.price.usd(self.input_tokens, self.output_tokens, chosen)
        return answers + self.targets * self.embedding_usd(chosen)

    def embedding_usd(self, transport: Transport) -> float:
        """Return the cost of one target's vector, if it gets one."""
        if self.embedding_price is None:
            return 0.0
        return self.embedding_price.usd(self.embedding_tokens_per_request, 0, transport)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What earlier jobs and answers let one expect; None where there were none."""

    jobs: int
    median_seconds: float | None
    slow_seconds: float | None
    few_tokens: int | None
    many_tokens: int | None

    def seconds(self, slices: int, at_once: int) -> float | None:
        """Return how long so many jobs take, so many at once, if each takes as long as before."""
        if self.median_seconds is None:
            return None
        return -(-slices // max(1, at_once)) * float(self.median_seconds)
