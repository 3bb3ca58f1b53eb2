"""What the calls may cost at most, before any is made."""

from collections.abc import Iterator
from typing import NamedTuple

from deployments.conformance.calls import CALLS, MOST_INPUT, MOST_OUTPUT
from deployments.conformance.jobs import JOBS
from tasks.adapters.reference import models, today
from tasks.core.errors import PreflightError
from tasks.core.money import Price, Transport

MOST_USD = 0.05


class Cost(NamedTuple):
    """A call, and what it costs at most."""

    call: str
    usd: float


def costs(model: str, embedding_model: str) -> list[Cost]:
    """Return the most that every call can cost; raise a sentence when the sum is too much."""
    found = [*_calls(model, embedding_model), *_jobs(model, embedding_model)]
    if (total := sum(cost.usd for cost in found)) >= MOST_USD:
        message = (
            f"With {model} these calls may cost {total:.4f} USD, more than {MOST_USD:.2f}:"
            " choose a cheaper MODEL."
        )
        raise PreflightError(message)
    return found


def lines(found: list[Cost], where: str, model: str) -> list[str]:
    """Return the list for a person, the sum last."""
    return [
        f"To be asked of {where}, with {model}, and the most that each may cost in USD:",
        *(f"  {cost.usd:.5f}  {cost.call}" for cost in found),
        f"  {sum(cost.usd for cost in found):.5f}  at most, all together",
    ]


def _price(model: str) -> Price:
    return models().billed(model, today()).price_on(today())


def _calls(model: str, embedding_model: str) -> Iterator[Cost]:
    for call in CALLS:
        usd = call.generates * _generate(model, "interactive")
        usd += _price(model).usd(0, 0, "interactive", searches=call.searches)
        yield Cost(call.name, usd + call.embeds * _embed(embedding_model, "interactive"))


def _jobs(model: str, embedding_model: str) -> Iterator[Cost]:
    for job in JOBS:
        one = _embed(embedding_model, "batch") if job.embeds else _generate(model, "batch")
        yield Cost(f"batch job: {job.name}", len(job.lines) * one)


def _generate(model: str, transport: Transport) -> float:
    return _price(model).usd(MOST_INPUT, MOST_OUTPUT, transport)


def _embed(model: str, transport: Transport) -> float:
    return _price(model).usd(MOST_INPUT, 0, transport)
