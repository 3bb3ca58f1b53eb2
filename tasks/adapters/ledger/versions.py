"""What an extractor version means: one question, for as long as there are answers to it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, get_args

import orjson
from pydantic import ValidationError

from tasks.adapters.ledger import runs
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.reference import models
from tasks.core.asking import against_diet
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError, VersionChangedError
from tasks.core.model_table import Level, Thinking
from tasks.core.wire import Names, Wire

_SQL = statements("queries/versions.sql")


def claim(
    connection: Connection, backfill: Backfill, digest: str, meaning: Mapping[str, object]
) -> None:
    """Record what this extractor version means, or raise when it already means something else.

    Its `meaning` is what the digest is of, in full. Where nothing was answered under it yet, it may
    come to mean something else: its plans are made anew.
    """
    values = {
        **backfill.in_ledger,
        "digest": digest,
        "meaning": orjson.dumps(meaning).decode(),
        "model": backfill.model,
    }
    connection.execute(_SQL["record_version"], values)
    recorded = connection.execute(_SQL["recorded_version"], values).fetchone()
    if recorded and recorded["withdrawn_at"]:
        raise PreflightError(_withdrawn(backfill, recorded["withdrawn_at"]))
    if not recorded or recorded["digest"] == digest:
        return
    if _is_in_use(connection, backfill):
        message = (
            f"The prompt, schema, options, text or model of '{backfill.name}' changed, but its"
            f" extractor_version is still '{backfill.extractor_version}' (first used with"
            f" {recorded['model']}). Give it a new extractor_version, in its module or in"
            f" [{backfill.name}] of backfills.toml, or undo the change."
        )
        raise VersionChangedError(message)
    runs.forget_unsubmitted(connection, backfill)
    connection.execute(_SQL["replace_version"], values)


def as_asked(connection: Connection, backfill: Backfill) -> Backfill:
    """Return an earlier version with the model that its answers are of."""
    row = connection.execute(_SQL["recorded_version"], backfill.in_ledger).fetchone()
    return replace(backfill, model=row["model"]) if row else backfill


class Recorded(NamedTuple):
    """What the ledger keeps of a version's question; in full since 0007."""

    digest: str
    model: str
    meaning: Mapping[str, Any] | None


def recorded(connection: Connection, backfill: Backfill) -> Recorded | None:
    """Return what a version was recorded as; None where the ledger has no such."""
    row = connection.execute(_SQL["recorded_version"], backfill.in_ledger).fetchone()
    return Recorded(row["digest"], row["model"], row["meaning"]) if row else None


def as_recorded(connection: Connection, present: Backfill) -> Backfill:
    """Return a version as its question was recorded, in full if that was kept; it is read today."""
    kept = recorded(connection, present)
    if kept is None or not (said := kept.meaning):
        return replace(present, model=kept.model, wire="plain") if kept else present
    return replace(
        present,
        model=kept.model,
        instruction=said["prompt"],
        options=_options(present, said["options"]),
        google_search=bool(said["tools"]),
        thinking=_thinking(present.thinking, kept.model, said["config"].get("thinkingConfig")),
        wire="diet" if said.get("wire") else "plain",
        source=replace(present.source, text=said["text"]),
    )


def _options(present: Backfill, recorded: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the declaration's own
    try:
        return type(present.options).model_validate(recorded)
    except ValidationError as error:
        raise PreflightError(
            f"Today's code cannot read the options that {present.extractor_version} of"
            f" {present.name} was asked with ({error.errors()[0]['msg']}): go back to the code that"
            " asked it, or leave it be."
        ) from None


def _thinking(present: Thinking, model: str, said: Mapping[str, Any] | None) -> Thinking:
    """Return the word, or the budget, for which a request says so."""
    budget = (said or {}).get("thinkingBudget", "least")
    words: tuple[Thinking, ...] = (present, budget, "default", *get_args(Level))
    config = models().find(model).thinking_config
    return next((each for each in words if (config(each) or None) == said), present)


def names(connection: Connection, name: str) -> list[str]:
    """Return the versions of a backfill that the ledger knows, the first recorded first."""
    rows = connection.execute(_SQL["names"], {"backfill": name})
    return [row["extractor_version"] for row in rows]


def wire(connection: Connection, backfill: Backfill) -> Names:
    """Return the names under which this version's answers travel, as they were when it was new."""
    row = connection.execute(_SQL["recorded_version"], backfill.in_ledger).fetchone()
    return row["wire"] or {} if row else backfill.names


def as_travelling(connection: Connection, backfill: Backfill) -> Backfill:
    """Return a backfill with the way that its next answers travel.

    Where nobody says it, they travel as those that this version has, and a new version's on the
    diet, if it can carry them.
    """
    if backfill.wire:
        return backfill
    row = connection.execute(_SQL["recorded_version"], backfill.in_ledger).fetchone()
    is_plain = against_diet(backfill, models().find(backfill.model)) or (
        row and not row["wire"] and _is_in_use(connection, backfill)
    )
    return on_wire(backfill, "plain" if is_plain else "diet")


def as_claimed(connection: Connection, backfill: Backfill) -> Backfill:
    """Return a backfill with the way that was recorded, by which its slices were planned."""
    if backfill.wire:
        return backfill
    return on_wire(backfill, "diet" if wire(connection, backfill) else "plain")


@lru_cache(maxsize=64)
def on_wire(backfill: Backfill, wire: Wire) -> Backfill:
    """Return a backfill on a wire: the same object every time, as its request template is."""
    return replace(backfill, wire=wire)


def require_same(connection: Connection, backfill: Backfill, digest: str, model: str) -> None:
    """Raise where another ledger's version of this name means something else than in use here."""
    recorded = connection.execute(_SQL["recorded_version"], backfill.in_ledger).fetchone()
    is_other = recorded and recorded["digest"] != digest
    if is_other and _is_in_use(connection, backfill):
        raise VersionChangedError(other_meaning(backfill, model))


def other_meaning(backfill: Backfill, model: str) -> str:
    """Return the sentence of answers to another question under the same version."""
    version = backfill.extractor_version
    return (
        f"'{version}' of {backfill.name} means something else there than here (prompt, schema,"
        f" options, text or model differ; there it is {model}): nothing was imported. Undo the"
        f" change here, or give the backfill a new extractor_version and import before it is used."
    )


def is_withdrawn(connection: Connection, backfill: Backfill) -> bool:
    """Return whether this version was rolled back, and not taken back since."""
    row = connection.execute(_SQL["recorded_version"], backfill.in_ledger).fetchone()
    return bool(row and row["withdrawn_at"])


def _is_in_use(connection: Connection, backfill: Backfill) -> bool:
    row = connection.execute(_SQL["version_is_in_use"], backfill.in_ledger).fetchone()
    return bool(row and row["in_use"])


def _withdrawn(backfill: Backfill, since: datetime) -> str:
    return (
        f"{backfill.extractor_version} of {backfill.name} was rolled back on"
        f" {since:%Y-%m-%d %H:%M}, and its answers are kept: run restore/withdrawn to take it back"
        " for nothing, or give the backfill a new extractor_version to ask anew."
    )
