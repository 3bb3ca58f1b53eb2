"""What a try has shown: one page in the Prefect UI, in the terminal, and as a dated file."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import mean
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import site, tables
from tasks.adapters.ledger import slices
from tasks.adapters.pages import render, show
from tasks.adapters.picked import Picked
from tasks.adapters.postgres import connect
from tasks.adapters.reference import searches
from tasks.adapters.stages import in_thread
from tasks.adapters.tables import Tables
from tasks.core.backfill import Backfill
from tasks.core.markdown import block, escape
from tasks.core.money import Estimate
from tasks.core.quotes import marked
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.planning.estimate import look_back
from tasks.planning.pricing import Workload, estimated, saved_together
from tasks.slices.at_once import Reply
from tasks.slices.requests import billed_tokens, request_bytes, template_of
from tasks.trying.asking import Tried, ask
from tasks.trying.choosing import choose, tried
from tasks.writing.one_answer import Seen, as_lines, see

IN_ITS_PLACE = "(the row's text)"


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
    chosen = await in_thread(tried)(name, prompt, model)
    rows = await in_thread(choose)(chosen, ids, text, count)
    with_text = [row for row in rows if not row.is_blank]
    began = datetime.now(UTC)
    found = await ask(chosen, with_text, cap_usd, flow_run_id)
    seconds = (datetime.now(UTC) - began).total_seconds()
    left_out = _left_out(len(rows) - len(with_text), len(with_text) - len(found.rows))
    sentence, markdown = await in_thread(_page)(chosen, found, seconds, cap_usd, left_out)
    about = f"What {chosen.model} says of {_rows(len(found.rows))} of {name}"
    await show(name, "try", markdown, about)
    return Completed(name="Tried", message=sentence)


def _left_out(blank: int, beyond: int) -> str:
    """Return how many rows were not asked, and why."""
    said = f" {blank} have no text." if blank else ""
    return said + (
        f" {beyond} were not asked: what is left of the cap is below one request." if beyond else ""
    )


def _page(
    chosen: Backfill, found: Tried, seconds: float, cap_usd: float, left_out: str
) -> tuple[str, str]:
    """Return what a try comes to, in one sentence and as a page."""
    with connect() as connection:
        here = tables.of(connection, chosen)
    seen = [see(chosen, row.target, reply.response, chosen.names) for row, reply in found.rows]
    rest = _rest(chosen, found)
    usable = sum(each.is_usable for each in seen)
    sentence = _sentence(chosen, found, usable, rest) + left_out
    markdown = render(
        "try.md",
        backfill=chosen,
        is_other=chosen.extractor_version != backfills.get(chosen.name).extractor_version,
        sentence=sentence,
        found=found,
        rest=rest,
        seconds=seconds,
        cap_usd=cap_usd,
        prompt=block(site.prompt(chosen)),
        request=block(_request(chosen)),
        rows=[_row(here, *each, one) for each, one in zip(found.rows, seen, strict=True)],
    )
    return sentence, markdown


def _rest(chosen: Backfill, found: Tried) -> Estimate:
    """Return what all rows would cost that still want an answer to this question."""
    with connect() as connection:
        remaining = slices.find_remaining(connection, chosen)
        job_hours = look_back(connection, chosen).job_hours
        connection.rollback()
    size = remaining.content_bytes / max(1, remaining.askable)
    asked = mean(len(row.target.text.encode()) for row, each in found.rows if each.response.is_paid)
    # As these were counted, for texts as long as those that remain.
    scale = billed_tokens(chosen, size) / billed_tokens(chosen, asked)
    usage, answered, rows = found.usage, found.answered, chosen.rows_per_request
    saved_in, saved_out = saved_together(chosen, rows)
    work = Workload(
        targets=remaining.askable,
        slices=1,
        transport="batch",
        request_bytes=remaining.content_bytes + remaining.askable * request_bytes(chosen, rows),
        guessed_input_tokens=0,
        input_tokens=scale * usage.input_tokens / answered - saved_in,
        output_tokens=(usage.output_tokens + usage.thought_tokens) / answered - saved_out,
        searches=searches(chosen.model, usage) / answered,
        source=f"measured on {answered} tried rows",
        embedding_tokens=size / BYTES_PER_TOKEN,
        longest_text_bytes=remaining.longest_bytes,
        job_hours=job_hours,
        rows=rows,
    )
    return estimated(chosen, work)


def _sentence(chosen: Backfill, found: Tried, usable: int, rest: Estimate) -> str:
    return (
        f"{_rows(len(found.rows))} of {chosen.name} asked of {chosen.model}, usable answers:"
        f" {usable}; {found.usd:.4f} USD. All {rest.targets:,} that remain would cost about"
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


def _row(here: Tables, row: Picked, reply: Reply, seen: Seen) -> dict[str, Any]:
    response = reply.response
    return {
        "name": escape(row.label),
        "target_id": escape(row.target.target_id),
        "text": marked(row.target.text, seen.quotes),
        "seconds": reply.seconds,
        "usd": reply.usd,
        "usage": response.usage if response.is_paid else None,
        "worth": seen.worth,
        "raw": block(response.text or "") if response.is_paid else None,
        "quotes": [quote.sentence() for quote in seen.quotes],
        "records": len(seen.records),
        "rows": block(as_lines(here, seen.records)) if seen.records else None,
    }
