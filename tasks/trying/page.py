"""What a try has shown: one page in the Prefect UI, in the terminal, and as a dated file."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from statistics import mean
from typing import Any, NamedTuple

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import site, tables
from tasks.adapters.ledger import slices
from tasks.adapters.pages import render, save
from tasks.adapters.postgres import connect
from tasks.adapters.reference import searches
from tasks.adapters.stages import in_thread
from tasks.adapters.tables import Tables
from tasks.core.backfill import Backfill
from tasks.core.markdown import block, escape
from tasks.core.money import Estimate
from tasks.core.quotes import marked
from tasks.core.responses import Usage
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.planning.estimate import look_back
from tasks.planning.pricing import Workload, estimated
from tasks.slices.requests import billed_tokens, request_bytes, template_of
from tasks.trying.asking import Asked, ask
from tasks.trying.candidate import candidate, choose
from tasks.writing.one_answer import Seen, as_lines, see

IN_ITS_PLACE = "(the row's text)"


class Shown(NamedTuple):
    """A row as the page shows it."""

    asked: Asked
    seen: Seen | None


class Sums(NamedTuple):
    """What the rows that were answered used and cost together."""

    usage: Usage
    usd: float
    usable: int
    answered: int


async def try_rows(  # noqa: PLR0913 - as many as the form has fields
    name: str,
    *,
    prompt: str,
    model: str,
    ids: Sequence[str],
    text: str,
    count: int,
    cap_usd: float,
    flow_run_id: str | None,
) -> State:
    """Return a completed state that says what rows cost and came to; the rest is on a page."""
    chosen = await in_thread(candidate)(name, prompt, model)
    rows = await in_thread(choose)(chosen, ids, text, count)
    with_text = [row for row in rows if not row.is_blank]
    began = datetime.now(UTC)
    found = await ask(chosen, with_text, cap_usd, flow_run_id)
    seconds = (datetime.now(UTC) - began).total_seconds()
    left_out = _left_out(len(rows) - len(with_text), len(with_text) - len(found))
    sentence, markdown = await in_thread(_page)(chosen, found, seconds, cap_usd, left_out)
    path = await in_thread(save)(f"{name}-try", markdown, began)
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-try",
        markdown=markdown,
        description=f"What {chosen.model} says of {_rows(len(found))} of {name}",
    )
    get_run_logger().info("Try: %s", path)
    return Completed(name="Tried", message=sentence)


def _left_out(blank: int, beyond: int) -> str:
    """Return how many rows were not asked, and why."""
    said = f" {blank} have no text." if blank else ""
    return said + (
        f" {beyond} were not asked: what is left of the cap is below one request." if beyond else ""
    )


def _page(
    chosen: Backfill, found: Sequence[Asked], seconds: float, cap_usd: float, left_out: str
) -> tuple[str, str]:
    """Return what a try comes to, in one sentence and as a page."""
    with connect() as connection:
        here = tables.of(connection, chosen)
    shown = [Shown(each, _seen(chosen, each)) for each in found]
    sums = _sums(shown)
    rest = _rest(chosen, found, sums)
    sentence = _sentence(chosen, len(found), sums, rest) + left_out
    markdown = render(
        "try.md",
        backfill=chosen,
        is_other=chosen.extractor_version != backfills.get(chosen.name).extractor_version,
        sentence=sentence,
        sums=sums,
        rest=rest,
        seconds=seconds,
        cap_usd=cap_usd,
        prompt=block(site.prompt(chosen)),
        request=block(_request(chosen)),
        rows=[_row(here, each) for each in shown],
    )
    return sentence, markdown


def _seen(chosen: Backfill, asked: Asked) -> Seen | None:
    return see(chosen, asked.row.target, asked.response, chosen.names) if asked.response else None


def _sums(shown: Sequence[Shown]) -> Sums:
    answered = [each.asked.response for each in shown if each.asked.response]
    usage = reduce(Usage.plus, (response.usage for response in answered), Usage())
    usable = sum(bool(each.seen and each.seen.is_usable) for each in shown)
    return Sums(usage, sum(each.asked.usd for each in shown), usable, len(answered))


def _rest(chosen: Backfill, found: Sequence[Asked], sums: Sums) -> Estimate:
    """Return what all rows would cost that still want an answer to this question."""
    with connect() as connection:
        remaining = slices.find_remaining(connection, chosen)
        job_hours = look_back(connection, chosen).job_hours
        connection.rollback()
    size = remaining.content_bytes / max(1, remaining.askable)
    tried = mean(len(each.row.target.text.encode()) for each in found if each.response)
    # As these were counted, for texts as long as those that remain.
    scale = billed_tokens(chosen, size) / billed_tokens(chosen, tried)
    usage, answered = sums.usage, sums.answered
    work = Workload(
        targets=remaining.askable,
        slices=1,
        transport="batch",
        request_bytes=remaining.content_bytes + remaining.askable * request_bytes(chosen),
        guessed_input_tokens=0,
        input_tokens=scale * usage.input_tokens / answered,
        output_tokens=(usage.output_tokens + usage.thought_tokens) / answered,
        searches=searches(chosen.model, usage) / answered,
        source=f"measured on {answered} tried rows",
        embedding_tokens=size / BYTES_PER_TOKEN,
        longest_text_bytes=remaining.longest_bytes,
        job_hours=job_hours,
    )
    return estimated(chosen, work)


def _sentence(chosen: Backfill, asked: int, sums: Sums, rest: Estimate) -> str:
    return (
        f"{_rows(asked)} of {chosen.name} asked of {chosen.model}, usable answers:"
        f" {sums.usable}; {sums.usd:.4f} USD. All {rest.targets:,} that remain would cost about"
        f" {rest.usd('batch'):,.4f} USD in batch, {rest.usd('interactive'):,.4f} at the standard"
        " price. Nothing was written."
    )


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"


def _request(chosen: Backfill) -> str:
    """Return the request that every row is sent in, but for the prompt, which is shown apart."""
    body = template_of(chosen).body(IN_ITS_PLACE)
    body.pop("systemInstruction", None)
    return json.dumps(body, ensure_ascii=False)


def _row(here: Tables, shown: Shown) -> dict[str, Any]:
    asked, seen = shown
    target, label = asked.row.target, asked.row.label
    return {
        "name": escape(label),
        "target_id": escape(target.target_id),
        "text": marked(target.text, seen.quotes if seen else ()),
        "seconds": asked.seconds,
        "usd": asked.usd,
        "usage": asked.response.usage if asked.response else None,
        "worth": seen.worth if seen else str(asked.error),
        "raw": block(asked.response.text or "") if asked.response else None,
        "quotes": [quote.sentence() for quote in seen.quotes] if seen else (),
        "records": len(seen.records) if seen else 0,
        "rows": block(as_lines(here, seen.records)) if seen and seen.records else None,
    }
