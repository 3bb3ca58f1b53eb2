"""A backfill as one of its versions asks: by today's files, or by what the ledger keeps of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters import site
from tasks.adapters.ledger import promotions, slices, versions
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.reference import models
from tasks.adapters.stages import in_thread
from tasks.core.asking import generation_config, sends_schema, without_item_limits
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.requests import RequestTemplate, response_schema
from tasks.core.wire import on_diet
from tasks.slices.requests import meaning, question_digest, template_of


class AsAsked(NamedTuple):
    """One version of a backfill: what reads its answers, and what its requests are made of.

    Attributes:
        template: None where the question was recorded before questions were kept in full.
        note: what a person should know of how its answers are read today.
    """

    backfill: Backfill
    template: RequestTemplate | None
    prompt: str
    note: str = ""

    @property
    def version(self) -> str:
        """Return which version it is."""
        return self.backfill.extractor_version

    @property
    def request_bytes(self) -> int:
        """Return the bytes of one request without its text."""
        return len(self.template.line("0" * 36, "x")) - 1 if self.template else 0


def by_version(connection: Connection, name: str, version: str | None) -> AsAsked:
    """Return a version of a backfill as its answers were asked for; None means the present one."""
    present = backfills.asked(connection, name)
    version = version or present.extractor_version
    recorded = versions.recorded(connection, replace(present, extractor_version=version))
    if version == present.extractor_version:
        digest = question_digest(present)
        if recorded is None:
            versions.claim(connection, present, digest, meaning(present))
        if recorded is None or recorded.digest == digest:
            return as_today(present)
    if recorded is None:
        known = ", ".join(versions.names(connection, name)) or "none"
        raise PreflightError(f"{name} has no version '{version}' in the ledger; it has: {known}.")
    other = versions.as_recorded(connection, replace(present, extractor_version=version))
    return _as_recorded(other, recorded.meaning)


@in_thread
def backfill_of(slice_id: str) -> Backfill:
    """Return the version that a slice is of."""
    with connect() as connection:
        return backfills.of_slice(connection, slices.get(connection, slice_id))


@contextmanager
def as_promoted(name: str) -> Iterator[None]:
    """Let a run ask the version that readers get, whatever the site names now.

    Raises PreflightError where today's code would not ask what was asked under it.
    """
    present = backfills.get(name)
    with connect() as connection:
        version = promotions.readers_version(connection, present)
        promoted = present
        if version != present.extractor_version:
            promoted = versions.as_recorded(connection, replace(present, extractor_version=version))
            require_same(connection, promoted)
    if promoted is present:
        yield
        return
    get_run_logger().info(
        "Readers of %s get %s, which a person promoted: what is new is asked its question, and not"
        " that of %s, which the site names.",
        *(name, version, present.extractor_version),
    )
    with backfills.asking(promoted):
        yield


def require_same(connection: Connection, backfill: Backfill) -> None:
    """Raise PreflightError where a version is not the present one, and not asked any more."""
    name, version = backfill.name, backfill.extractor_version
    present = backfills.get(name).extractor_version
    if version == present:
        return
    kept = versions.recorded(connection, backfill)
    if kept is None or question_digest(backfill) != kept.digest:
        raise PreflightError(
            f"Readers of {name} get {version}, and today's code does not ask its question any"
            f" more: promote {present}, which the site names, or go back to the code and the"
            f" section of backfills.toml that asked {version}."
        )


def as_today(backfill: Backfill) -> AsAsked:
    """Return a version by today's code and files."""
    return AsAsked(backfill, template_of(backfill), site.prompt(backfill))


def _as_recorded(backfill: Backfill, said: Mapping[str, Any] | None) -> AsAsked:
    """Return a version by what was recorded of it; its answers are read with today's code."""
    if not said:
        return AsAsked(backfill, None, "")
    config = {**generation_config(backfill, models().find(backfill.model), {}), **said["config"]}
    config.pop("responseSchema", None)
    if schema := said["schema"]:
        config["responseSchema"] = schema
    template = RequestTemplate(said["prompt"], config, said["tools"], said["safety"])
    version = backfill.extractor_version
    note = "" if _is_read_today(backfill, said) else _READ_OTHERWISE.format(version)
    return AsAsked(backfill, template, said["prompt"], note)


_READ_OTHERWISE = (
    "{} was asked for answers of another shape than today's code reads: what this cannot read"
    " counts as bad."
)


def _is_read_today(backfill: Backfill, said: Mapping[str, Any]) -> bool:
    """Return whether answers of the recorded shape are what today's code takes."""
    schema = said["schema"]
    if schema is None or not sends_schema(backfill, models().find(backfill.model)):
        return True
    today = response_schema(on_diet(backfill.answer_model, said.get("wire") or {}))
    return dict(schema) in (today, without_item_limits(today))
