"""Kept answers out of this ledger, block by block, and those of another one into it."""

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from tasks.adapters.ledger import answers, versions
from tasks.adapters.plans import by_hashing
from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill
from tasks.core.kept import MOST_IN_BLOCK, as_kept, pack, unpack
from tasks.core.portable import Meaning, Travelling

_SQL = statements("queries/portable.sql")
_BLOCKS_AT_ONCE = 10


def meanings(connection: Connection, name: str, extractor_version: str | None) -> list[Meaning]:
    """Return what a backfill's versions mean, or one of them."""
    values = {"backfill": name, "extractor_version": extractor_version}
    rows = connection.execute(_SQL["meanings"], values)
    return [Meaning.model_validate(row["meaning"]) for row in rows]


def kept(connection: Connection, name: str, extractor_version: str) -> Iterator[Travelling]:
    """Yield a version's kept answers, some blocks in memory at a time."""
    version = {"backfill": name, "extractor_version": extractor_version}
    with by_hashing(connection), connection.cursor("kept_by_block") as cursor:
        cursor.itersize = _BLOCKS_AT_ONCE
        for row in cursor.execute(_SQL["kept_by_block"], version):
            responses = unpack(row["payload"])
            for each in row["kept"]:
                said = as_kept(responses[each.pop("place")])
                yield Travelling.model_validate({**version, **each, "response": said})


def adopt(connection: Connection, backfill: Backfill, meaning: Meaning) -> None:
    """Record what another ledger's version means; raise where it means something else here."""
    versions.require_same(connection, backfill, meaning.digest, meaning.model)
    said = Jsonb({**meaning.model_dump(mode="json"), "backfill": backfill.name})
    connection.execute(_SQL["record_meaning"], {"meaning": said})
    version = backfill.in_ledger
    connection.execute(_SQL["look_again"], version)


def take_in(connection: Connection, backfill: Backfill, coming: Sequence[Travelling]) -> int:
    """Keep answers of one version that are not kept yet; return how many."""
    found = connection.execute(_SQL["kept_already"], _columns(coming))
    here = {row["question_id"] for row in found}
    new = [each for each in coming if each.question_id not in here]
    for start in range(0, len(new), MOST_IN_BLOCK):
        block = new[start : start + MOST_IN_BLOCK]
        payload = pack([each.as_response() for each in block])
        answers.keep_block(connection, backfill, payload, _columns(block))
    return len(new)


def _columns(coming: Sequence[Travelling]) -> dict[str, Any]:
    return {
        "question_ids": [each.question_id for each in coming],
        "usable": [each.is_usable for each in coming],
        "vectors": [answers.array(each.vector) for each in coming],
        "answered_at": [each.answered_at for each in coming],
    }
