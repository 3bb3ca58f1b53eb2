"""What asking so many tokens costs and takes, by the table of models."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypedDict

from tasks.adapters.reference import models, today
from tasks.adapters.room import enqueued_at, enqueued_tokens
from tasks.adapters.settings import settings
from tasks.core.asking import refusals
from tasks.core.backfill import Backfill
from tasks.core.model_table import FRESH
from tasks.core.models import MeasuredTokens
from tasks.core.money import Estimate, Offer, Price, Transport, days_to_ask
from tasks.core.packing import ITEM_TOKENS
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.core.wire import Wire
from tasks.slices.requests import billed_tokens, request_bytes, rows_in

MODELS_SHOWN = 3
ROWS_SHOWN = (1, 5, 10)
EXPECTED_SEARCHES = 1.0
"""Of one answer, until some were measured."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What is to be asked; tokens and searches are those of a row, `rows` of which go together."""

    targets: int
    slices: int
    transport: Transport
    request_bytes: int
    guessed_input_tokens: int
    input_tokens: float
    output_tokens: float
    searches: float
    source: str
    embedding_tokens: float = 0.0
    longest_text_bytes: int = 0
    job_hours: float = 0.0
    rows: int = 1


def estimated(backfill: Backfill, work: Workload) -> Estimate:
    """Return what the work costs with the backfill's model, and with others."""
    days = _days(backfill, backfill.model, work)
    return Estimate(
        targets=work.targets,
        slices=work.slices,
        input_bytes=work.request_bytes,
        guessed_input_tokens=work.guessed_input_tokens,
        input_tokens_per_request=work.input_tokens,
        output_tokens_per_request=work.output_tokens,
        source=work.source,
        model=backfill.model,
        price=_price(backfill.model, days),
        prices_as_of=models().find(backfill.model).read,
        transport=work.transport,
        searches_per_request=work.searches,
        embedding_price=_embedding_price(backfill, days),
        embedding_tokens_per_request=work.embedding_tokens,
        saved_per_request=saved_together(backfill, backfill.rows_per_request),
        tier=_tier(),
        days=days,
        offers=tuple(_offers(backfill, work)),
        notes=tuple(_notes(backfill, work, days)),
    )


class Answers(TypedDict):
    """What one answer is expected to use."""

    output_tokens: float
    searches: float


def saved_together(backfill: Backfill, rows: int) -> tuple[float, float]:
    """Return the tokens in and out that a row has less where so many go together."""
    if rows == 1:
        return 0.0, 0.0
    thoughts = models().find(backfill.model).thoughts * (1 - 1 / rows)
    return billed_tokens(backfill, 0) - billed_tokens(backfill, 0, rows), thoughts - ITEM_TOKENS


def expected_answers(backfill: Backfill, measured: MeasuredTokens | None, rows: int = 1) -> Answers:
    """Return what one answer used, or is expected to; thoughts are output too."""
    if measured and measured.output_tokens:
        return Answers(output_tokens=measured.output_tokens, searches=measured.searches or 0.0)
    alone = backfill.expected_tokens + models().find(backfill.model).thoughts
    return Answers(
        output_tokens=alone - saved_together(backfill, rows)[1],
        searches=EXPECTED_SEARCHES if backfill.google_search else 0.0,
    )


def _price(model: str, days: float | None) -> Price:
    return models().billed(model, today()).price_over(today(), days or 0.0)


def _embedding_price(backfill: Backfill, days: float | None) -> Price | None:
    return _price(backfill.embedding.model, days) if backfill.embedding else None


def _days(backfill: Backfill, model: str, work: Workload) -> float | None:
    """Return the days that all jobs take at the tier; None one by one, or where nobody knows."""
    if work.transport == "interactive" or not work.targets:
        return None
    asked = [(model, work.targets * work.input_tokens)]
    if backfill.embedding:
        asked.append((backfill.embedding.model, work.targets * work.embedding_tokens))
    limits = [(tokens, _may_wait(each)) for each, tokens in asked]
    if any(limit is None for _, limit in limits):
        return None
    return max(days_to_ask(tokens, limit or 1, work.job_hours) for tokens, limit in limits)


def _may_wait(model: str) -> int | None:
    return enqueued_tokens(model) or enqueued_at(model, settings().tier or 1)


def _tier() -> str:
    here = settings()
    if here.enqueued_tokens:
        return f"{here.enqueued_tokens:,} waiting tokens"
    return f"tier {here.tier}" if here.tier else "tier 1"


def _offers(backfill: Backfill, work: Workload) -> Iterator[Offer]:
    """Yield the backfill's own model and the cheapest others that live, each in all its ways."""
    others = []
    for name, model in models().models.items():
        end = model.ends or model.ends_earliest
        lives = model.new_keys and not (end and end <= today() + FRESH)
        if model.makes == "answers" and lives and name != backfill.model:
            others.append(_offer(backfill, work, replace(backfill, model=name), work.transport))
    cheapest = sorted(others, key=lambda offer: (offer.usd, offer.model))[: MODELS_SHOWN - 1]
    for name in (backfill.model, *(offer.model for offer in cheapest)):
        for way, transport in _ways(replace(backfill, model=name), work.transport):
            yield _offer(backfill, work, way, transport)
            if transport == "batch" and name == backfill.model:
                yield from (_offer(backfill, work, each) for each in _together(way))


def _together(way: Backfill) -> Iterator[Backfill]:
    """Yield how many other rows may go together."""
    for rows in ROWS_SHOWN:
        other = replace(way, rows_per_request=rows)
        if rows != way.rows_per_request and not any(refusals(other, models())):
            yield other


def _ways(backfill: Backfill, transport: Transport) -> Iterator[tuple[Backfill, Transport]]:
    """Yield how a model can be asked, the run's own way first, or the other where it must."""
    other: Transport = "interactive" if transport == "batch" else "batch"
    wire: Wire = "plain" if backfill.wire == "diet" else "diet"
    both = (backfill, replace(backfill, wire=wire))
    ways = [way for way in both if not any(refusals(way, models()))]
    for way in ways[: 2 if backfill.output_tokens_on_diet else 1]:
        yield from ((way, transport), (way, other))


def _offer(
    backfill: Backfill, work: Workload, way: Backfill, transport: Transport = "batch"
) -> Offer:
    """Return what the work of a backfill costs in a way: answers are as long but for the wire."""
    name, rows = way.model, rows_in(way, transport)
    model = models().find(name)
    less_in, less_out = saved_together(backfill, work.rows)
    alone = work.output_tokens + less_out - models().find(backfill.model).thoughts
    out = max(0.0, alone) * way.expected_tokens / backfill.expected_tokens + model.thoughts
    more_bytes = request_bytes(way, rows) - request_bytes(backfill, work.rows)
    saved_in, saved_out = saved_together(way, rows)
    work = replace(
        work,
        transport=transport,
        input_tokens=work.input_tokens + less_in - saved_in,
        output_tokens=out - saved_out,
        request_bytes=work.request_bytes + work.targets * more_bytes,
    )
    days = _days(backfill, name, work)
    usd = _price(name, days).usd(
        work.targets * work.input_tokens,
        work.targets * work.output_tokens,
        work.transport,
        searches=work.targets * work.searches,
    )
    if price := _embedding_price(backfill, days):
        usd += price.usd(work.targets * work.embedding_tokens, 0, work.transport)
    return Offer(
        model=name,
        wire=way.wire or "plain",
        rows=rows,
        transport=work.transport,
        usd=usd,
        input_tokens=work.targets * work.input_tokens,
        output_tokens=work.targets * work.output_tokens,
        days=days,
        upload_bytes=work.request_bytes,
        note=_remark(name),
    )


def _remark(name: str) -> str:
    model = models().find(name)
    said = [] if model.new_keys else ["closed to new keys"]
    if model.thoughts:
        said.append(f"about {model.thoughts} thought tokens an answer")
    if end := model.ends or model.ends_earliest:
        said.append(f"{'until' if model.ends else 'at least until'} {end}")
    if models().enqueued(name)[1]:
        said.append("waiting tokens as of its relative")
    return "; ".join(said)


def _notes(backfill: Backfill, work: Workload, days: float | None) -> Iterator[str]:
    for name in backfill.models:
        yield from models().remarks(name, today())
    model = models().billed(backfill.model, today())
    if step := model.next_step(today(), days or 0.0):
        yield (
            f"The run crosses {step.since}: from then on {backfill.model} costs"
            f" {step.batch_input:g} USD in and {step.batch_output:g} out per million tokens in"
            " batch; the estimate counts each day at its own price."
        )
    if work.searches and model.search_per == "query":
        yield (
            f"About {work.targets * work.searches:,.0f} searches at"
            f" {model.price_on(today()).search:g} USD per 1,000 are in it; Google gives 5,000 a"
            " month for nothing, which is not counted."
        )
    if said := too_long(backfill, work.longest_text_bytes):
        yield said


def too_long(backfill: Backfill, longest_text_bytes: int) -> str | None:
    """Return a sentence when the longest text is more than the model takes."""
    tokens, limit = longest_text_bytes / BYTES_PER_TOKEN, models().find(backfill.model).input_limit
    if tokens <= limit:
        return None
    return (
        f"The longest text holds about {tokens:,.0f} tokens, and {backfill.model} takes {limit:,}:"
        f" such rows will be refused one by one; leave them out by source.where of {backfill.name}."
    )
