"""Kept answers into a file, and a file's answers into this ledger."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, islice
from pathlib import Path
from typing import get_args

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import portable_files
from tasks.adapters.ledger import portable, versions
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError, VersionChangedError
from tasks.core.portable import Foot, Head, Travelling, answers, head
from tasks.core.wire import Wire
from tasks.slices.requests import question_digest

ANSWERS_AT_ONCE = 1000


@stage("export answers of {name}")
def write_answers(name: str, extractor_version: str | None, file: str) -> State:
    """Return a state that says how many kept answers are in which file."""
    path = _place(name, file)
    with connect() as connection:
        meanings = portable.meanings(connection, name, extractor_version)
        if not meanings:
            known = f"{name} {extractor_version or ''}".strip()
            raise PreflightError(f"The ledger has no answers of {known}: run the backfill first.")
        count = _Counted(connection, Head(backfill=name, versions=tuple(meanings)))
        portable_files.write(path, count.lines())
    message = f"{count.answers:,} kept answers of {name} in {path} ({path.stat().st_size:,} bytes)."
    get_run_logger().info(message)
    return Completed(message=message)


class _Counted:
    """The lines of a file, and how many answers were among them."""

    def __init__(self, connection: Connection, its_head: Head) -> None:
        self._connection = connection
        self._head = its_head
        self.answers = 0

    def lines(self) -> Iterator[bytes]:
        yield self._head.as_line()
        for meaning in self._head.versions:
            version = meaning.extractor_version
            for each in portable.kept(self._connection, self._head.backfill, version):
                self.answers += 1
                yield each.as_line()
        yield Foot(answers=self.answers).as_line()


@stage("import answers of {name}")
def read_answers(name: str, file: str) -> State:
    """Take a file's answers in, and return how many were new; importing twice changes nothing.

    All lines are read before anything is written. A version that means something else here is
    refused.
    """
    backfill, path = backfills.get(name), _place(name, file)
    its_head, everything = _opened(path)
    _require_same(backfill, its_head, path)
    all_of_them = sum(1 for _ in everything)
    with connect() as connection:
        for meaning in its_head.versions:
            version = replace(backfill, extractor_version=meaning.extractor_version)
            portable.adopt(connection, version, meaning)
    new = sum(_take_in(backfill, _opened(path)[1]))
    message = (
        f"{new:,} answers of {name} imported from {path}, {all_of_them - new:,} were kept already;"
        " the next run writes their rows for nothing."
    )
    get_run_logger().info(message)
    return Completed(message=message)


def _place(name: str, file: str) -> Path:
    return portable_files.place(file or f"{name}-answers.jsonl.gz")


def _opened(path: Path) -> tuple[Head, Iterator[Travelling]]:
    lines = portable_files.lines(path)
    its_head = head(lines, str(path))
    return its_head, answers(lines, its_head, str(path))


def _require_same(backfill: Backfill, its_head: Head, path: Path) -> None:
    if its_head.backfill != backfill.name:
        raise PreflightError(
            f"{path} holds answers of {its_head.backfill}, not of {backfill.name}: choose that"
            " backfill."
        )
    # Where nobody says how they travel, either way is taken: as the file's have.
    ways: tuple[Wire, ...] = (backfill.wire,) if backfill.wire else get_args(Wire)
    digests = [question_digest(replace(backfill, wire=wire)) for wire in ways]
    for meaning in its_head.versions:
        is_todays = meaning.extractor_version == backfill.extractor_version
        if is_todays and meaning.digest not in digests:
            raise VersionChangedError(versions.other_meaning(backfill, meaning.model))


def _take_in(backfill: Backfill, coming: Iterator[Travelling]) -> Iterator[int]:
    for extractor_version, group in groupby(coming, lambda each: each.extractor_version):
        version = replace(backfill, extractor_version=extractor_version)
        while some := list(islice(group, ANSWERS_AT_ONCE)):
            with connect() as connection:
                yield portable.take_in(connection, version, some)
