"""Why a row says what it says: one target's life, from its text to what stands in the table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import picked, standing, tables
from tasks.adapters.ledger import answers, lives
from tasks.adapters.ledger.lives import Life
from tasks.adapters.pages import render, show
from tasks.adapters.picked import Picked
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.reference import usd_of
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.identity import content_hash, question_id
from tasks.core.markdown import block, escape
from tasks.core.places import Rows
from tasks.core.quotes import marked
from tasks.core.responses import Response, Usage
from tasks.writing.one_answer import Seen, as_lines, see


@dataclass(frozen=True, slots=True)
class Told:
    """A life as the page tells it.

    Attributes:
        usd: what its answer cost, as its tokens' share of the slice's cost.
        answer: the answer that is kept to its question, whoever asked it.
        seen: what today's code makes of it; None where the text is not what was asked any more.
        stands: what our columns hold for the target now.
        is_edited: a person changed that since it was written.
    """

    life: Life
    usd: float | None
    answer: Response | None
    seen: Seen | None
    stands: str
    is_edited: bool


# Not a stage: see tasks/reports/quality.py.
async def explain_row(name: str, target_id: str) -> State:
    """Return a completed state that says how a target came to its rows; the whole is on a page."""
    sentence, page = await in_thread(_page)(name, target_id.strip())
    await show(name, "explain", page, f"How a row of {name} came to say what it says")
    return Completed(name="Explained", message=sentence)


def _page(name: str, target_id: str) -> tuple[str, str]:
    """Return a target's life in one sentence, and as a page; raise one for who is unknown."""
    backfill = backfills.get(name)
    with connect() as connection:
        row = next(iter(picked.by_ids(connection, backfill, [target_id])), None)
        known = lives.of(connection, name, target_id)
        if row is None and not known:
            raise PreflightError(_unknown(backfill, target_id))
        told = [_told(connection, backfill, each, target_id, row) for each in known]
    asked = next((each for each in told if each.seen), None)
    quotes = asked.seen.quotes if asked and asked.seen else ()
    sentence = _sentence(backfill, target_id, row, told)
    return sentence, render(
        "explain.md",
        backfill=backfill,
        sentence=escape(sentence),
        target_id=escape(target_id),
        label=escape(row.label if row else target_id),
        text=marked(row.target.text, quotes) if row else None,
        told=[_shown(each) for each in told],
    )


def _unknown(backfill: Backfill, target_id: str) -> str:
    source = backfill.source
    place = source.table if isinstance(source, Rows) else f"what came in for {backfill.name}"
    return (
        f"Nothing is known of '{target_id}': there is no such row in {place},"
        f" and {backfill.name} never asked it, or it was forgotten on request."
    )


def _told(
    connection: Connection, backfill: Backfill, life: Life, target_id: str, row: Picked | None
) -> Told:
    version = replace(backfill, extractor_version=life.extractor_version)
    here, member = tables.of(connection, version), life.member(target_id)
    asked = question_id(backfill.name, life.extractor_version, life.content_hash)
    answer = answers.find(connection, [asked]).get(asked)
    vector = answers.vectors(connection, version, [member]).get(life.doc_id)
    is_same = row is not None and content_hash(row.target.text) == life.content_hash
    names = (life.meaning or {}).get("wire") or {}
    seen = see(version, row.target, answer, names, vector) if row and is_same and answer else None
    stands, is_edited = "", False
    if life.is_projected:
        key = str(life.doc_id) if here.is_csv else target_id
        columns = ("answer",) if here.is_csv else here.owned
        found = standing.shown(connection, here, [key], columns).get(key, [])
        stands = as_lines(here, [_as_record(each) for each in found])
        is_edited = bool(standing.edited(connection, here, {key: life.written}))
    return Told(life, _share(life), answer, seen, stands, is_edited)


def _as_record(found: Mapping[str, object]) -> Mapping[str, object]:
    """Return what stands in a CSV's answer as its columns."""
    answer = found.get("answer")
    return answer if isinstance(answer, dict) else found


def _share(life: Life) -> float | None:
    """Return what an answer cost: the part of its slice's cost that its tokens have."""
    if life.model is None or life.transport is None or not life.slice_usd:
        return None
    whole = Usage(life.slice_input_tokens or 0, life.slice_output_tokens or 0)
    all_of_it = usd_of(life.model, whole, life.transport)
    own = usd_of(life.model, Usage(life.input_tokens, life.output_tokens), life.transport)
    return life.slice_usd * own / all_of_it if all_of_it else None


def _sentence(backfill: Backfill, target_id: str, row: Picked | None, told: list[Told]) -> str:
    if not told:
        why = "it has no text" if row and row.is_blank else "no run has taken it on"
        return f"{target_id} was never asked by {backfill.name}: {why}."
    life = told[0].life
    reason = f" ({life.reason})" if life.reason else ""
    standing_now = sum(bool(each.stands) for each in told)
    away = "" if row else " Its row is gone from the source."
    return (
        f"{target_id} is {life.state}{reason} under {life.extractor_version} of {backfill.name},"
        f" after {life.attempts} tr{'y' if life.attempts == 1 else 'ies'}; rows of"
        f" {standing_now} of {len(told)} texts and versions stand.{away}"
    )


def _shown(told: Told) -> dict[str, Any]:
    life, seen = told.life, told.seen
    meaning = dict(life.meaning or {})
    prompt = meaning.pop("prompt", None)
    return {
        "told": told,
        "life": life,
        "version": escape(life.extractor_version),
        "detail": escape(life.detail) if life.detail else None,
        "prompt": block(prompt) if prompt else None,
        "rest": block(json.dumps(meaning, ensure_ascii=False)) if meaning else None,
        "raw": block(told.answer.text or "") if told.answer else None,
        "worth": seen.worth if seen else None,
        "quotes": [quote.sentence() for quote in seen.quotes] if seen else (),
        "stands": block(told.stands) if told.stands else None,
    }
