"""Two versions compared on the same targets: the verdict, and the page that bears it out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.adapters import pages
from tasks.adapters.ledger import comparisons, reviews
from tasks.adapters.pages import render
from tasks.adapters.postgres import connect
from tasks.adapters.reference import usd_of
from tasks.adapters.stages import in_thread
from tasks.adapters.values import decoded
from tasks.core.answers import reason_of
from tasks.core.comparing import Comparison, Pair, Side, compare, verdict
from tasks.core.disagreeing import strongest
from tasks.core.ends import End
from tasks.core.example import vocabularies
from tasks.core.money import Estimate
from tasks.core.places import NewRows
from tasks.core.responses import Response
from tasks.core.reviewing import Judged
from tasks.planning.comparison import Both, Heard
from tasks.planning.full_run import full_run
from tasks.writing.reading import Read, Reader
from tasks.writing.restore import no_slice


@in_thread
def judge(both: Both, comparison_id: UUID) -> tuple[str, str]:
    """Return what both come to: the verdict, and the page."""
    first, second = (_sides(heard, both.ids) for heard in both.sides)
    pairs = [Pair(each, both.names[each], first[each], second[each]) for each in both.ids]
    target = both.first.asked.backfill.target
    key = target.key if isinstance(target, NewRows) else ""
    words = {**vocabularies(both.first.asked.backfill), **vocabularies(both.second.asked.backfill)}
    found = compare(pairs, key, words)
    said = verdict(
        both.first.asked.version,
        both.second.asked.version,
        found,
        is_random=both.how == "random",
    )
    with connect() as connection:
        comparisons.close(connection, comparison_id, said)
        judged = {each.extractor_version: each for each in reviews.judged(connection, both.name)}
    of_both = [judged.get(heard.asked.version) for heard in both.sides]
    return said, _page(both, pairs, key, found, said, of_both)


def _sides(heard: Heard, ids: Sequence[str]) -> dict[str, Side]:
    """Return what a version made of each target, read with today's code."""
    # What a text's vector is has no part in a comparison.
    backfill = replace(heard.asked.backfill, embedding=None)
    members = [heard.members[each] for each in ids]
    replies = {each.target_id: heard.kept.get(each.content_hash) for each in members}
    read = [each for each in members if (said := replies[each.target_id]) and not said.error]
    lines = (heard.kept[each.content_hash]._replace(key=str(each.doc_id)) for each in read)
    reading = Reader(backfill, no_slice(backfill)).read_kept(read, lines)
    found = {each.member.target_id: each for each in reading.answers}
    return {each: _side(heard, each, found.get(each), replies[each]) for each in ids}


def _side(heard: Heard, target_id: str, read: Read | None, reply: Response | None) -> Side:
    text = heard.targets[target_id].text
    if read is None or read.outcome is None:
        error = str(reason_of(reply.error[0])) if reply and reply.error else "missing"
        return Side(text, bad=heard.bad.get(target_id, error))
    if read.outcome.end is End.BAD:
        return Side(text, bad=str(read.outcome.reason))
    matches = {name: n for name, n in read.counts.items() if name.startswith("match:")}
    quotes = sum(matches.values())
    return Side(
        text,
        rows=[{name: decoded(value) for name, value in row.items()} for row in read.records or ()],
        quotes=quotes,
        placed=quotes - matches.get("match:unplaced", 0),
    )


def _page(  # noqa: PLR0913, PLR0917 - what the page shows
    both: Both,
    pairs: Sequence[Pair],
    key: str,
    found: Comparison,
    said: str,
    judged: Sequence[Judged | None],
) -> str:
    return render(
        "compare.md",
        both=both,
        found=found,
        judged=judged,
        verdict=said,
        key=key,
        examples=strongest(pairs, key),
        full=[_full_run(heard, both.questions) for heard in both.sides],
        spent=[
            usd_of(heard.asked.backfill.model, heard.usage, "interactive") for heard in both.sides
        ],
        now=datetime.now(UTC),
    )


def _full_run(heard: Heard, questions: int) -> Estimate:
    texts = [target.text for target in heard.targets.values()]
    return full_run(heard.asked, heard.past, texts, questions, (heard.usage, heard.answers))


async def show(both: Both, said: str, page: str) -> State:
    """Put the page on the run's page and into a dated file; return the state that says it all."""
    about = f"{both.first.asked.version} and {both.second.asked.version} of {both.name}"
    path = await pages.show(both.name, "compare", page, about)
    count = sum(heard.answers for heard in both.sides)
    usd = sum(
        usd_of(heard.asked.backfill.model, heard.usage, "interactive") for heard in both.sides
    )
    message = f"{said} {count} answers were asked for, {usd:.4f} USD; the page: {path}"
    get_run_logger().info(message)
    return Completed(name="Compared", message=message)
