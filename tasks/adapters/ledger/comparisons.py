"""Which targets two versions are compared on, and what a comparison may spend and has spent."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from psycopg import sql

from tasks.adapters import tables
from tasks.adapters.measures import EVIDENCE
from tasks.adapters.postgres import Connection, Row, statements
from tasks.adapters.tables import Tables
from tasks.core.places import NewRows

Chosen = Literal["random", "doubtful"]
_CHOOSING = statements("engine/compare.sql")
_SQL = statements("queries/comparisons.sql")


class Scope(NamedTuple):
    """The targets that were chosen, and how many questions a full run would ask."""

    target_ids: Sequence[str]
    questions: int


def choose(connection: Connection, here: Tables, how: Chosen, most: int, seed: int) -> Scope:
    """Return some targets that have a text and are not on their way."""
    values = {**here.values(), "most": most, "seed": seed}
    tables.fix_texts(connection)
    connection.execute(_put("in_scope", candidates=here.candidates()), values)
    counted = connection.execute(_CHOOSING["count_questions"]).fetchone() or {}
    statement: sql.Composable = sql.SQL(_CHOOSING["some"])
    if how == "doubtful":
        statement = _put("doubtful", rows=rows_in_doubt(here))
    found = connection.execute(sql.Composed([statement]), values)
    return Scope([row["target_id"] for row in found], counted["questions"])


def rows_in_doubt(here: Tables) -> sql.Composable:
    """Return what there is to doubt of each target's rows."""
    if here.is_csv:
        return _put("csv_in_doubt", target=here.target.identifier, ours=here.ours)
    if not isinstance(here.backfill.target, NewRows):
        return sql.SQL(_CHOOSING["no_rows_in_doubt"])
    evidence, confidence = here.placed([EVIDENCE]), here.placed(["confidence"])
    return _put(
        "rows_in_doubt",
        target=here.target.identifier,
        target_id=here.target_id.identifier,
        ours=here.ours,
        is_unproven=_put("some_without_evidence", value=evidence[0][1].identifier)
        if evidence
        else sql.SQL("false"),
        is_approximate=_put("some_approximate", value=evidence[0][1].identifier)
        if evidence
        else sql.SQL("false"),
        confidence=_put("least", value=confidence[0][1].identifier)
        if confidence
        else sql.SQL("null::real"),
    )


def ends(connection: Connection, doc_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Return state and reason of some targets that were planned once."""
    found = connection.execute(_SQL["ends"], {"doc_ids": list(doc_ids)})
    return {row["doc_id"]: row for row in found}


def begin(connection: Connection, **values: Any) -> UUID:  # noqa: ANN401 - columns
    """Note that two versions are compared, and what that may cost."""
    row = connection.execute(_SQL["begin"], values).fetchone() or {}
    return UUID(str(row["comparison_id"]))


def book(comparison_id: UUID, connection: Connection, usd: float) -> None:
    """Note what an answer cost."""
    connection.execute(_SQL["book"], {"comparison_id": comparison_id, "usd": usd})


def close(connection: Connection, comparison_id: UUID, verdict: str) -> None:
    """Note what was found."""
    connection.execute(_SQL["close"], {"comparison_id": comparison_id, "verdict": verdict})


def _put(statement: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(_CHOOSING[statement]).format(**parts)
