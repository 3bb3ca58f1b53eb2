"""Promoting a version: views, exports and CSVs show it from then on; another one takes it back."""

from typing import NamedTuple

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import rows, tables, views
from tasks.adapters.ledger import promotions, versions
from tasks.adapters.pages import render
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.places import InPlace
from tasks.planning.estimate import look_back
from tasks.planning.full_run import full_run
from tasks.slices.as_asked import AsAsked, by_version
from tasks.undo.restore import restore_version

ENOUGH = 0.99
"""Of the targets in scope: below it, a person has to say yes to the gaps."""

_TEXTS = 50
"""So many texts say how long they are."""

_NOT_WANTED = ("no text to ask about", "forgotten on request")


class Standing(NamedTuple):
    """A version as readers would get it: how much stands, and what the rest would cost."""

    name: str
    version: str
    before: str | None
    present: str
    covered: int
    wanted: int
    missing_usd: float

    @property
    def coverage(self) -> float:
        """Return which share of the targets has what it should."""
        return self.covered / self.wanted if self.wanted else 0.0

    @property
    def sentence(self) -> str:
        """Return coverage and cost in a sentence."""
        missing = self.wanted - self.covered
        rest = f"; the {missing:,} missing ones cost about {self.missing_usd:.4f} USD in batch"
        return (
            f"{self.version} covers {self.coverage:.1%} of {self.wanted:,} targets of {self.name}"
            f"{rest if missing else ''}."
        )


@stage("look at {extractor_version} of {name}")
def look(name: str, extractor_version: str | None) -> Standing:
    """Return how a version stands; raise a sentence where it cannot be promoted."""
    with connect() as connection:
        asked = by_version(connection, name, extractor_version)
        _refuse_what_cannot_be(connection, asked.backfill)
        covered, wanted = _count(connection, asked.backfill)
        standing = Standing(
            name=name,
            version=asked.version,
            before=promotions.promoted(connection, name),
            present=backfills.get(name).extractor_version,
            covered=covered,
            wanted=wanted,
            missing_usd=_usd(connection, asked, wanted - covered),
        )
        connection.rollback()  # a version that was never asked is not recorded for a look
    return standing


def _refuse_what_cannot_be(connection: Connection, backfill: Backfill) -> None:
    version, present = backfill.extractor_version, backfills.get(backfill.name)
    if versions.is_withdrawn(connection, backfill):
        raise PreflightError(
            f"{version} of {backfill.name} was rolled back: run restore/withdrawn, then promote it."
        )
    if isinstance(backfill.target, InPlace) and version != present.extractor_version:
        raise PreflightError(
            f"{backfill.name} is filled in in place, where the version stands that the site names:"
            f' write extractor_version = "{version}", with its model and prompt, in'
            f" [{backfill.name}] of backfills.toml, then promote it."
        )


def _count(connection: Connection, backfill: Backfill) -> tuple[int, int]:
    """Return how many targets have what they should, and how many should."""
    here = tables.of(connection, backfill)
    tables.fix_texts(connection)
    found = connection.execute(here.over_candidates("how_targets_stand"), here.values()).fetchall()
    wanted = [row for row in found if row["is_good"] or row["finding"] not in _NOT_WANTED]
    return sum(row["targets"] for row in wanted if row["is_good"]), sum(
        row["targets"] for row in wanted
    )


def _usd(connection: Connection, asked: AsAsked, missing: int) -> float:
    here = tables.of(connection, asked.backfill)
    values = {**here.values(), "most": _TEXTS}
    ids = [row["target_id"] for row in connection.execute(here.over_source("some_ids"), values)]
    texts = [text for [(text, _), *_] in rows.texts(connection, here, ids).values()]
    past = look_back(connection, asked.backfill, asked.backfill.rows_per_request)
    return full_run(asked, past, texts, missing).usd()


@stage("promote {standing.version} of {standing.name}")
def promote(standing: Standing, by: str, reason: str, *, accept_gaps: bool) -> State:
    """Let readers get a version, and note who said so; raise a sentence where that is missing."""
    if not by.strip() or not reason.strip():
        raise PreflightError("Say who promotes it and why: fill in by and reason.")
    if standing.coverage < ENOUGH and not accept_gaps:
        raise PreflightError(
            f"{standing.sentence} Run it first, or tick accept_gaps to promote it all the same."
        )
    with connect() as connection:
        backfill = by_version(connection, standing.name, standing.version).backfill
        views.renew(connection, backfill)
        promotions.promote(connection, backfill, by, reason, standing.coverage)
    message = f"{standing.version} is what readers of {standing.name} get now. {_back(standing)}"
    if isinstance(backfill.target, InPlace):
        restored = restore_version.directly(standing.name, standing.version, dry_run=False)
        message += f" {restored.message}"
    get_run_logger().info(message)
    return Completed(name="Promoted", message=message)


def shown_only(standing: Standing) -> State:
    """Return the state of a dry run."""
    message = f"Dry run: {standing.sentence} {_back(standing)} Nothing was changed."
    return Completed(name="DryRun", message=message)


def _back(standing: Standing) -> str:
    """Return what readers had before, and what runs do."""
    before = standing.before or f"{standing.present}, which the site names"
    said = f"Before it was {before}: promote that to go back."
    if standing.version != standing.present:
        said += (
            f" Incremental runs ask under {standing.version} what is new; others go on asking under"
            f" {standing.present}, which the site names."
        )
    return said


# Not a stage: see tasks/reports/quality.py.
async def show(standing: Standing) -> None:
    """Put coverage and cost on the run's page."""
    await acreate_markdown_artifact(
        key=f"{standing.name.replace('_', '-')}-promote",
        markdown=render("promote.md", standing=standing, back=_back(standing)),
        description=f"{standing.version} of {standing.name} as readers would get it",
    )
