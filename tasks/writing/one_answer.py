"""One answer read by itself, as a slice's are, for a person to see: nothing is written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tasks.adapters.tables import Tables
from tasks.adapters.values import decoded, json_text
from tasks.core.answers import Answered, Refused, judge
from tasks.core.backfill import Answer, Backfill, Record, Target
from tasks.core.ends import answer_to_use
from tasks.core.places import CsvColumns
from tasks.core.quotes import NotedText, Quote
from tasks.core.responses import Response
from tasks.core.wire import Names, on_diet

LONGEST = 240
"""Characters of a value that are shown."""


class Seen(NamedTuple):
    """What an answer is worth, the rows that it becomes, and the quotes that were looked for."""

    worth: str
    is_usable: bool
    records: Sequence[Record] = ()
    quotes: Sequence[Quote] = ()


def see(
    backfill: Backfill,
    target: Target,
    response: Response,
    names: Names,
    vector: Sequence[float] | None = None,
) -> Seen:
    """Return what today's code makes of an answer that travelled under these names.

    Of one that was cut off it is what can be read.
    """
    verdict = judge(response, on_diet(backfill.answer_model, names))
    answered = answer_to_use(verdict, is_last=True)
    worth, is_usable = _worth(verdict), isinstance(verdict, Answered)
    if isinstance(answered, Refused):
        return Seen(worth, is_usable)
    text = NotedText(target.text, target.parts)
    try:
        answer = _answer(backfill, target, answered, text)
        answer = replace(answer, grounding_metadata=response.grounding_metadata, embedding=vector)
        records = list(backfill.records(answer))
    except Exception as error:  # noqa: BLE001 - a declaration is anybody's code
        return Seen(f"`records` fails at it: {type(error).__name__}: {error}", is_usable=False)
    return Seen(worth, is_usable, records, text.quotes())


def _answer(backfill: Backfill, target: Target, answered: Answered[Any], text: NotedText) -> Answer:
    return Answer(
        target=target,
        value=answered.answer,
        lost_items=answered.lost_items,
        model=backfill.model,
        extractor_version=backfill.extractor_version,
        created_at=datetime.now(UTC),
        grounding=text,
        counts=Counter(),
        options=backfill.options,
    )


def _worth(verdict: Answered[Any] | Refused[Any]) -> str:
    if isinstance(verdict, Refused):
        said = f"not usable: {verdict.reason.explanation} ({verdict.reason}: {verdict.detail})"
        return said + (" What could be read of it is shown." if verdict.salvaged else "")
    mended = sorted(set(verdict.mended))
    return "usable" + (f", mended: {', '.join(mended)}" if mended else "")


def as_lines(here: Tables, records: Sequence[Record]) -> str:
    """Return records as `column: value`, under the names that the table has; long values are cut.

    What the table has no column for is left out, as it is when records are written.
    """
    return "\n\n".join("\n".join(_lines(here, record)) for record in records)


def _lines(here: Tables, record: Record) -> list[str]:
    target = here.backfill.target
    if isinstance(target, CsvColumns):
        return [f"{target.prefix}{name}: {_brief(value)}" for name, value in record.items()]
    return [f"{column.name}: {_brief(record[name])}" for name, column in here.placed(record)]


def _brief(value: object) -> str:
    """Return a value in one line."""
    plain = decoded(value)
    text = plain if isinstance(plain, str) else json_text(plain)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
