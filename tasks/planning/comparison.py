"""What two versions are compared on: the same targets, what is kept of each, and what is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from prefect.runtime import flow_run

from tasks.adapters import rows, tables
from tasks.adapters.ledger import answers, comparisons, pauses
from tasks.adapters.ledger.comparisons import Chosen
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.reference import models, today, usd_of
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Target
from tasks.core.ends import End
from tasks.core.errors import PreflightError
from tasks.core.identity import content_hash, doc_id, question_id
from tasks.core.models import Member
from tasks.core.responses import Response, Usage
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.planning import candidate
from tasks.planning.estimate import Past, look_back
from tasks.planning.pricing import expected_answers
from tasks.slices.as_asked import AsAsked, by_version
from tasks.slices.at_once import Asked, AtOnce, Purse, bound_of

_ON_ITS_WAY = "planned"


@dataclass
class Heard:
    """One version, and what it is known to say of the chosen targets, by target_id.

    Attributes:
        kept: responses by content, of earlier runs and of this comparison.
        bad: reasons of targets that ended as bad without an answer that is kept.
        usage: what was asked for this comparison used; `answers` is of how many.
    """

    asked: AsAsked
    members: Mapping[str, Member]
    targets: Mapping[str, Target]
    past: Past
    kept: dict[UUID, Response]
    bad: Mapping[str, str]
    on_their_way: frozenset[str]
    usage: Usage = field(default_factory=Usage)
    answers: int = 0

    def missing(self, ids: Sequence[str]) -> list[Asked]:
        """Return the targets that this version has to be asked about."""
        return [
            (self.members[each], self.targets[each])
            for each in ids
            if self.members[each].content_hash not in self.kept and each not in self.bad
        ]


@dataclass(frozen=True)
class Both:
    """Both versions, the targets they are compared on, and how many questions a full run asks."""

    name: str
    first: Heard
    second: Heard
    ids: Sequence[str]
    names: Mapping[str, str]
    questions: int
    how: Chosen

    @property
    def sides(self) -> tuple[Heard, Heard]:
        """Return both versions."""
        return self.first, self.second


@in_thread
def choose(  # noqa: PLR0913 - which two, and which targets
    name: str,
    against: str | None,
    version: str | None,
    lines: str,
    *,
    targets: int,
    how: Chosen,
    seed: int,
) -> Both:
    """Return both versions with what is kept of them; raise a sentence for what cannot be."""
    if targets < 1:
        raise PreflightError(f"targets is {targets}: compare at least one target, such as 50.")
    if bool(version) == bool(lines.strip()):
        raise PreflightError(
            "Name the candidate by its extractor version, or give its candidate_lines: one of both."
        )
    with connect() as connection:
        first = by_version(connection, name, against)
        second = (
            by_version(connection, name, version)
            if version
            else candidate.from_lines(connection, name, lines)
        )
        if first.version == second.version:
            raise PreflightError(f"{first.version} would be compared with itself: name another.")
        here = tables.of(connection, first.backfill)
        scope = comparisons.choose(connection, here, how, targets, seed)
        names = rows.labels(connection, first.backfill, scope.target_ids)
        one, other = (_heard(connection, each, scope.target_ids) for each in (first, second))
    ids = [each for each in scope.target_ids if _can_be(each, one) and _can_be(each, other)]
    if not ids:
        raise PreflightError(
            f"{name} has no target to compare: its rows have no text, are on their way, or were"
            " never asked where doubtful ones are wanted."
        )
    return Both(name, one, other, ids, names, scope.questions, how)


def _can_be(target_id: str, heard: Heard) -> bool:
    return target_id in heard.members and target_id not in heard.on_their_way


def _heard(connection: Connection, asked: AsAsked, ids: Sequence[str]) -> Heard:
    """Return what a version is known to say of some targets, as their texts are now."""
    backfill = asked.backfill
    name, version = backfill.name, backfill.extractor_version
    found = rows.texts(connection, tables.of(connection, backfill), ids)
    last = backfill.max_attempts
    members, targets = {}, {}
    for target_id, [(text, lengths), *_] in found.items():
        content = content_hash(text)
        member = Member(doc_id(name, version, target_id, content), target_id, content, last)
        parts = backfill.template.parts(lengths) if lengths else ()
        members[target_id] = member
        targets[target_id] = Target(member.doc_id, target_id, text, parts)
    contents = {question_id(name, version, each.content_hash): each for each in members.values()}
    kept = answers.find(connection, list(contents))
    ends = comparisons.ends(connection, [each.doc_id for each in members.values()])
    by_content = {contents[key].content_hash: response for key, response in kept.items()}
    return Heard(
        asked=asked,
        members=members,
        targets=targets,
        past=look_back(connection, backfill),
        kept=by_content,
        bad={
            each.target_id: str(ends[each.doc_id]["reason"])
            for each in members.values()
            if each.doc_id in ends
            and ends[each.doc_id]["state"] == End.BAD
            and each.content_hash not in by_content
        },
        on_their_way=frozenset(
            each.target_id
            for each in members.values()
            if each.doc_id in ends and ends[each.doc_id]["state"] == _ON_ITS_WAY
        ),
    )


async def ask_the_rest(both: Both, approved_usd: float) -> UUID:
    """Ask both versions about the targets they are not known on; return the comparison's id."""
    wanted = [each.missing(both.ids) for each in both.sides]
    comparison_id = await _begin(both, wanted, approved_usd)
    purse = Purse(approved_usd)
    for heard, missing in zip(both.sides, wanted, strict=True):
        book = partial(comparisons.book, comparison_id)
        asking = AtOnce(heard.asked, purse, book)
        await asking.run(missing)
        heard.kept |= {content: reply.response for content, reply in asking.replies.items()}
        heard.usage, heard.answers = asking.usage, asking.answers
    return comparison_id


@in_thread
def _begin(both: Both, wanted: Sequence[Sequence[Asked]], approved_usd: float) -> UUID:
    _refuse_what_costs_more(both, wanted, approved_usd)
    with connect() as connection:
        return comparisons.begin(
            connection,
            backfill=both.name,
            first=both.first.asked.version,
            second=both.second.asked.version,
            targets=len(both.ids),
            approved_usd=approved_usd,
            flow_run_id=flow_run.get_id(),
        )


def _refuse_what_costs_more(
    both: Both, wanted: Sequence[Sequence[Asked]], approved_usd: float
) -> None:
    """Raise one sentence where the rest cannot be asked, or not for so little."""
    if not any(wanted):
        return
    with connect() as connection:
        if since := pauses.since(connection, both.name):
            raise PreflightError(
                f"{both.name} is paused since {since:%Y-%m-%d %H:%M}: run stop/resume before"
                " anything is asked."
            )
    usd, most, count = 0.0, 0.0, 0
    for heard, missing in zip(both.sides, wanted, strict=True):
        if missing:
            models().living(heard.asked.backfill.model, today())
        if missing and heard.asked.template is None:
            raise PreflightError(
                f"{heard.asked.version} was recorded before questions were kept in full, so its"
                f" {len(missing)} missing answers cannot be asked for: name a later version."
            )
        for target in {member.content_hash: target for member, target in missing}.values():
            usd += _expected(heard, target)
            most, count = max(most, bound_of(heard.asked, target.text)), count + 1
    if most > approved_usd:
        raise PreflightError(
            f"One answer may cost {most:.4f} USD, and {approved_usd:.4f} are approved: set"
            f" approve_up_to_usd to {max(usd, most):.4f} or more."
        )
    if usd > approved_usd:
        raise PreflightError(
            f"Asking for the {count} answers that are not kept costs about {usd:.4f} USD, and"
            f" {approved_usd:.4f} are approved: raise approve_up_to_usd, or compare fewer targets."
        )


def _expected(heard: Heard, target: Target) -> float:
    answer = expected_answers(heard.asked.backfill, heard.past.measured)
    used = Usage(
        input_tokens=int((len(target.text) + len(heard.asked.prompt)) / BYTES_PER_TOKEN),
        output_tokens=int(answer["output_tokens"]),
        searches=int(answer["searches"]),
        searched=min(1, int(answer["searches"])),
    )
    return usd_of(heard.asked.backfill.model, used, "interactive")
