"""Kept answers, and which of them the rows in the user's tables were made of."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from tasks.adapters.postgres import Connection, Row, statements
from tasks.core import restoring
from tasks.core.backfill import Backfill
from tasks.core.identity import question_id
from tasks.core.kept import MOST_IN_BLOCK, pack, unpack
from tasks.core.models import Filled, Member, Written
from tasks.core.responses import Response
from tasks.core.restoring import Waiting

_SQL = statements("queries/answers.sql")


class Paid(NamedTuple):
    """An answer that was paid for, and whether it could be used."""

    content_hash: UUID
    response: Response
    is_usable: bool


class Restorable(NamedTuple):
    """A target whose rows are missing, and whose question was answered."""

    place: int
    member: Member
    question_id: UUID


class Block(NamedTuple):
    """Answers as they are kept: packed, each in its place."""

    payload: bytes
    paid: Sequence[Paid]


def packed(answers: Iterable[Paid]) -> list[Block]:
    """Return answers in the blocks that `keep` keeps."""
    stream = iter(answers)
    blocks = []
    while paid := list(islice(stream, MOST_IN_BLOCK)):
        payload = pack([each.response for each in paid])
        blocks.append(Block(payload, paid))
    return blocks


def keep(connection: Connection, backfill: Backfill, blocks: Iterable[Block]) -> None:
    """Keep answers for good; of two usable ones to a question the first stays."""
    name, version = backfill.name, backfill.extractor_version
    for block in blocks:
        columns: dict[str, Sequence[Any]] = {
            "question_ids": [question_id(name, version, paid.content_hash) for paid in block.paid],
            "usable": [paid.is_usable for paid in block.paid],
            "vectors": [],
            "answered_at": [],
        }
        keep_block(connection, backfill, block.payload, columns)


def keep_block(
    connection: Connection, backfill: Backfill, payload: bytes, columns: Mapping[str, Sequence[Any]]
) -> None:
    """Keep a block whose answers are, each in its place, to the questions of `columns`.

    It is as old as the latest answer in it; without `answered_at` they came just now.
    """
    version = backfill.in_ledger
    told = {
        "answers": len(columns["question_ids"]),
        "payload": payload,
        "kept_at": max(columns["answered_at"], default=None),
    }
    row = connection.execute(_SQL["keep_block"], {**version, **told}).fetchone() or {}
    values = {**version, **columns, "block_id": row["block_id"]}
    connection.execute(_SQL["keep_questions"], values)


def array(vector: Sequence[float] | None) -> str | None:
    """Return a vector as Postgres reads an array."""
    return None if vector is None else "{" + ",".join(map(repr, vector)) + "}"


def find(connection: Connection, question_ids: Sequence[UUID]) -> dict[UUID, Response]:
    """Return the kept answers of some questions; one that was not kept is missing."""
    values = {"question_ids": list(question_ids)}
    rows = connection.execute(_SQL["kept_answers"], values).fetchall()
    wanted = {"block_ids": list({row["block_id"] for row in rows})}
    blocks = {
        row["block_id"]: unpack(row["payload"])
        for row in connection.execute(_SQL["blocks"], wanted)
    }
    return {row["question_id"]: blocks[row["block_id"]][row["place"]] for row in rows}


def keep_vectors(
    connection: Connection, backfill: Backfill, vectors: Mapping[UUID, Sequence[float]]
) -> None:
    """Keep vectors that were paid for, by the content that was asked; an answer joins them."""
    rows = (
        {
            **backfill.in_ledger,
            "question_id": question_id(backfill.name, backfill.extractor_version, content_hash),
            "vector": array(vector),
        }
        for content_hash, vector in vectors.items()
    )
    connection.cursor().executemany(_SQL["keep_vector"], rows)


def vectors(
    connection: Connection, backfill: Backfill, members: Sequence[Member]
) -> dict[UUID, list[float]]:
    """Return the kept vectors of some targets."""
    asked = _questions(backfill, members)
    rows = connection.execute(_SQL["vectors"], {"question_ids": list(set(asked.values()))})
    found = {row["question_id"]: row["vector"] for row in rows}
    return {doc_id: found[each] for doc_id, each in asked.items() if each in found}


def with_vector(
    connection: Connection, backfill: Backfill, members: Sequence[Member]
) -> list[UUID]:
    """Return the targets whose vector is kept."""
    asked = _questions(backfill, members)
    rows = connection.execute(_SQL["with_vector"], {"question_ids": list(set(asked.values()))})
    found = {row["question_id"] for row in rows}
    return [doc_id for doc_id, each in asked.items() if each in found]


def _questions(backfill: Backfill, members: Sequence[Member]) -> dict[UUID, UUID]:
    name, version = backfill.name, backfill.extractor_version
    return {member.doc_id: question_id(name, version, member.content_hash) for member in members}


def standing(
    connection: Connection, backfill: Backfill, asked: Mapping[str, UUID | None]
) -> dict[str, Written]:
    """Return those targets for which rows of another text than `asked` stand; None: of any."""
    values = {
        **backfill.in_ledger,
        "doc_ids": list(asked.values()),
        "target_ids": list(asked),
    }
    return _written(connection.execute(_SQL["standing"], values))


def standing_in_place(
    connection: Connection, backfill: Backfill, target_ids: Sequence[str]
) -> dict[str, Written]:
    """Return what stands in rows that are filled in in place, whichever version did so last."""
    values = {"backfill": backfill.name, "target_ids": list(target_ids)}
    return _written(connection.execute(_SQL["standing_in_place"], values))


def _written(rows: Iterable[Row]) -> dict[str, Written]:
    return {row["target_id"]: Written(row["fingerprint"], filled(row)) for row in rows}


def filled(reading: Row) -> Filled | None:
    """Return what fingerprints of a reading are of; None where its columns are not known."""
    columns = reading["columns"]
    return Filled(tuple(columns), reading["by_text"]) if columns else None


def columns(connection: Connection, backfill: Backfill, names: Sequence[str]) -> Filled:
    """Return what fingerprints of this reading are of: these columns, if they are the first."""
    values = {**backfill.in_ledger, "reading": backfill.reading, "columns": list(names)}
    connection.execute(_SQL["note_columns"], values)
    row = connection.execute(_SQL["columns"], values).fetchone() or {}
    return Filled(tuple(row.get("columns") or names), bool(row.get("by_text")))


def superseded(
    connection: Connection, backfill: Backfill, after: UUID, size: int
) -> list[tuple[Member, Member]]:
    """Return texts that ended without rows, by doc_id, each with the one whose rows stand."""
    values = {**backfill.in_ledger, "after": after, "size": size}
    return [
        (
            Member(row["doc_id"], row["target_id"], row["content_hash"]),
            Member(row["older_doc_id"], row["target_id"], row["older_content_hash"]),
        )
        for row in connection.execute(_SQL["superseded"], values)
    ]


def unproject(connection: Connection, backfill: Backfill, target_ids: Sequence[str]) -> None:
    """Note that no rows of ours stand for some targets any more."""
    if target_ids:
        values = {**backfill.in_ledger, "target_ids": list(target_ids)}
        connection.execute(_SQL["unproject"], values)


def project(
    connection: Connection,
    backfill: Backfill,
    written: Mapping[tuple[UUID, str], int],
    fingerprints: Mapping[str, int | None],
) -> None:
    """Note whose rows stand now, by doc_id and target_id, how many they are and what they are."""
    if not written:
        return
    values = {
        **backfill.in_ledger,
        "doc_ids": [doc_id for doc_id, _ in written],
        "target_ids": [target_id for _, target_id in written],
        "records": list(written.values()),
        "reading": backfill.reading,
        "fingerprints": [fingerprints.get(target_id) for _, target_id in written],
    }
    connection.execute(_SQL["project"], values)


def next_restores(
    connection: Connection, backfill: Backfill, after: int, size: int
) -> list[Restorable]:
    """Return the next targets to restore, from a place on."""
    values = {**backfill.in_ledger, "after": after, "size": size}
    return [
        Restorable(
            row["place"],
            Member(row["doc_id"], row["target_id"], row["content_hash"]),
            row["question_id"],
        )
        for row in connection.execute(_SQL["next_restores"], values)
    ]


def take_restores(connection: Connection, doc_ids: Sequence[UUID]) -> list[UUID]:
    """Return which of some targets still wait; they are restored once this transaction commits."""
    rows = connection.execute(_SQL["take_restores"], {"doc_ids": list(doc_ids)})
    return [row["doc_id"] for row in rows]


def waiting(connection: Connection, backfill: Backfill) -> Waiting:
    """Return how many targets wait to be restored."""
    values = {**backfill.in_ledger, "many": restoring.MANY}
    row = connection.execute(_SQL["count_waiting"], values).fetchone()
    return Waiting(**row) if row else Waiting(0, 0, 0)


def forget_restores(connection: Connection, backfill: Backfill) -> None:
    """Forget what an earlier plan wanted restored: the tables may have changed since."""
    connection.execute(_SQL["forget_restores"], backfill.in_ledger)


def end_restored(
    connection: Connection, backfill: Backfill, ends: Mapping[Member, tuple[str, str | None]]
) -> None:
    """Give restored targets their ends: state and reason."""
    values = {
        **backfill.in_ledger,
        "doc_ids": [member.doc_id for member in ends],
        "target_ids": [member.target_id for member in ends],
        "content_hashes": [member.content_hash for member in ends],
        "states": [state for state, _ in ends.values()],
        "reasons": [reason for _, reason in ends.values()],
    }
    connection.execute(_SQL["recount_slices"], values)
    connection.execute(_SQL["end_restored"], values)


def note_restored(connection: Connection, run_id: UUID, targets: int) -> None:
    """Count what a run restored."""
    connection.execute(_SQL["note_restored"], {"run_id": run_id, "targets": targets})


def count_usable(connection: Connection, backfill: Backfill) -> int:
    """Return how many usable answers of a version are kept."""
    row = connection.execute(_SQL["count_kept"], backfill.in_ledger).fetchone()
    return int(row["usable"]) if row else 0
