"""Forgetting: what some targets said and were answered, and answers that are too old."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from tasks.adapters import rows, tables
from tasks.adapters.ledger import generations
from tasks.adapters.postgres import Connection, Row, connect, statements
from tasks.core.backfill import Backfill
from tasks.core.identity import question_id
from tasks.core.kept import only

_SQL = statements("queries/forget.sql")
BLOCKS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Found:
    """What there was of some targets; `shared` answers stay, for rows that say the same."""

    rows: int = 0
    answers: int = 0
    shared: int = 0
    generations: int = 0

    def plus(self, more: "Found") -> "Found":
        """Return both together."""
        return Found(
            self.rows + more.rows,
            self.answers + more.answers,
            self.shared + more.shared,
            self.generations + more.generations,
        )


def record(
    connection: Connection, backfill: Backfill, ids: Sequence[str], flow_run_id: str | None
) -> None:
    """Note that targets were forgotten: from now on runs leave them alone."""
    values = {**_of(backfill, ids), "flow_run_id": flow_run_id}
    connection.execute(_SQL["record"], values)


def on_their_way(connection: Connection, backfill: Backfill, ids: Sequence[str]) -> int:
    """Return how many of the targets are in a job that may still answer."""
    row = connection.execute(_SQL["on_their_way"], _of(backfill, ids)).fetchone()
    return int(row["targets"]) if row else 0


def labels(connection: Connection, backfill: Backfill, ids: Sequence[str]) -> set[str]:
    """Return what people call the targets."""
    return {str(row["label"]) for row in _known_by(connection, backfill, ids) if row["label"]}


def forget(connection: Connection, backfill: Backfill, ids: Sequence[str]) -> Found:
    """Take out all that there is of some targets, of every version."""
    values = _of(backfill, ids)
    asked = connection.execute(_SQL["asked"], values).fetchall()
    now = {row["content_hash"] for row in _known_by(connection, backfill, ids)}
    living = _asked_by_others(connection, backfill, now, asked)
    deleted, answers, shared = 0, 0, 0
    for row in connection.execute(_SQL["versions"], values).fetchall():
        version = replace(backfill, extractor_version=row["extractor_version"])
        deleted += _forget_rows(connection, version, ids)
        # One version may have been asked, for a comparison, what a run asked of another.
        hashes = now | {each["content_hash"] for each in asked}
        answers += _forget_questions(connection, version, hashes - living)
        shared += _count_kept(connection, version, hashes & living)
    for name in ("projections", "filled", "restores", "rereads", "reviews", "given"):
        connection.execute(_SQL[f"forget_{name}"], values)
    dropped = generations.drop(connection, [each["doc_id"] for each in asked])
    return Found(deleted, answers, shared, dropped)


def scrub(backfill: Backfill) -> None:
    """Rewrite the blocks that hold answers which no question has any more, some at a time."""
    with connect() as connection:
        found = connection.execute(_SQL["blocks_with_more"], {"backfill": backfill.name}).fetchall()
    for part in _parts(found):
        with connect() as connection:
            blocks = connection.execute(_SQL["places_in_use"], {"block_ids": part}).fetchall()
            for block in blocks:
                _rewrite(connection, block)


def thin(backfill: Backfill, days: int) -> int:
    """Delete the blocks that are older; their questions stay known, as thinned. Return how many."""
    with connect() as connection:
        values = {"backfill": backfill.name, "days": days}
        found = connection.execute(_SQL["old_blocks"], values).fetchall()
    thinned = 0
    for part in _parts(found):
        with connect() as connection:
            thinned += connection.execute(_SQL["thin_questions"], {"block_ids": part}).rowcount
            connection.execute(_SQL["drop_blocks"], {"block_ids": part})
    return thinned


def not_in_flight(connection: Connection, backfill: Backfill, slice_ids: list[str]) -> list[str]:
    """Return those of some slices of the backfill that nobody waits for."""
    values = {"backfill": backfill.name, "slice_ids": slice_ids}
    return [row["slice_id"] for row in connection.execute(_SQL["not_in_flight"], values)]


def left_at_service(connection: Connection, backfill: Backfill) -> list[Row]:
    """Return job and uploaded file of slices that nobody waits for, while these may be there."""
    values = {"backfill": backfill.name}
    return connection.execute(_SQL["left_at_service"], values).fetchall()


def _forget_rows(connection: Connection, version: Backfill, ids: Sequence[str]) -> int:
    values = {**_of(version, ids), "extractor_version": version.extractor_version}
    ours = [row["target_id"] for row in connection.execute(_SQL["written_for"], values)]
    return rows.forget(connection, tables.of(connection, version), ours)


def _known_by(connection: Connection, backfill: Backfill, ids: Sequence[str]) -> list[Row]:
    here = tables.of(connection, backfill)
    tables.fix_texts(connection)
    values = {**here.values(), "target_ids": list(ids)}
    return connection.execute(here.over_source("known_by", in_scope=False), values).fetchall()


def _asked_by_others(
    connection: Connection, backfill: Backfill, now: set[UUID], asked: Sequence[Row]
) -> set[UUID]:
    """Return what rows that are not forgotten ask as well."""
    here = tables.of(connection, backfill)
    hashes = now | {each["content_hash"] for each in asked}
    values = {**here.values(), "content_hashes": list(hashes)}
    found = connection.execute(here.over_source("asked_by_others", in_scope=False), values)
    return {row["content_hash"] for row in found}


def _forget_questions(connection: Connection, version: Backfill, hashes: set[UUID]) -> int:
    values = {"question_ids": _questions(version, hashes)}
    gone = connection.execute(_SQL["forget_questions"], values).fetchall()
    return sum(row["was_kept"] for row in gone)


def _count_kept(connection: Connection, version: Backfill, hashes: set[UUID]) -> int:
    values = {"question_ids": _questions(version, hashes)}
    row = connection.execute(_SQL["count_kept"], values).fetchone()
    return int(row["answers"]) if row else 0


def _questions(version: Backfill, hashes: set[UUID]) -> list[UUID]:
    return [question_id(version.name, version.extractor_version, each) for each in hashes]


def _rewrite(connection: Connection, block: Row) -> None:
    if not block["places"]:
        connection.execute(_SQL["drop_block"], block)
        return
    payload = only(block["payload"], block["places"])
    values = {**block, "payload": payload, "answers": len(block["places"])}
    connection.execute(_SQL["rewrite_block"], values)


def _parts(found: Sequence[Row]) -> Iterator[list[int]]:
    for start in range(0, len(found), BLOCKS_AT_ONCE):
        yield [row["block_id"] for row in found[start : start + BLOCKS_AT_ONCE]]


def _of(backfill: Backfill, ids: Sequence[str]) -> dict[str, object]:
    return {"backfill": backfill.name, "target_ids": list(ids)}
