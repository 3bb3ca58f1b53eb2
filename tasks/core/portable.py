"""Kept answers on their way from one ledger to another: JSON lines, each readable by itself.

The first line says what the versions mean, the last one how many answers stand between: a file that
was cut off is known for what it is. A question is named by its hash; its text does not travel.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeVar
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from tasks.core.errors import PreflightError
from tasks.core.identity import question_id
from tasks.core.kept import as_response
from tasks.core.responses import Json, Response

L = TypeVar("L", bound=BaseModel)
Said = str | None


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def as_line(self) -> bytes:
        """Return the line that it is in a file."""
        return orjson.dumps(self.model_dump(), option=orjson.OPT_APPEND_NEWLINE)


class Meaning(BaseModel):
    """What a version means; all else that its ledger knew of it travels along."""

    model_config = ConfigDict(frozen=True, extra="allow")

    extractor_version: str
    digest: str
    model: str
    recorded_at: AwareDatetime


class Head(_Line):
    """The first line: whose answers these are."""

    kept_answers: Literal[1] = 1
    backfill: str
    versions: tuple[Meaning, ...]

    def knows(self, extractor_version: str) -> bool:
        """Return whether the file says what a version means."""
        return any(each.extractor_version == extractor_version for each in self.versions)


class Travelling(_Line):
    """One kept answer."""

    backfill: str
    extractor_version: str
    question_id: UUID
    content_hash: UUID | None
    is_usable: bool
    answered_at: AwareDatetime
    vector: list[float] | None
    response: tuple[Said, Said, Said, Said, tuple[int, str] | None, Json | None]

    def as_response(self) -> Response:
        """Return the answer, without a key."""
        return as_response(self.response)

    def trouble(self, head: Head) -> str | None:
        """Return why this cannot be an answer of a file with this head, or None."""
        if self.backfill != head.backfill or not head.knows(self.extractor_version):
            return f"it is of {self.backfill} {self.extractor_version}, and the first line is not"
        known = self.content_hash
        if known and self.question_id != question_id(self.backfill, self.extractor_version, known):
            return "its question_id and content_hash do not belong together"
        return None


class Foot(_Line):
    """The last line."""

    answers: int


def head(lines: Iterator[bytes], where: str) -> Head:
    """Return what the first line says."""
    return _read(Head, next(lines, b""), 1, where)


def answers(lines: Iterable[bytes], head: Head, where: str) -> Iterator[Travelling]:
    """Yield the answers of the lines after the first; raise PreflightError for one that is none."""
    number, last = 1, b""
    for number, line in enumerate(lines, 2):
        if last:
            yield _answer(last, head, number - 1, where)
        last = line
    if last != Foot(answers=number - 2).as_line():
        raise _unreadable(number, where, "it is the last one, and the file does not end so")


def _answer(line: bytes, head: Head, number: int, where: str) -> Travelling:
    found = _read(Travelling, line, number, where)
    if why := found.trouble(head):
        raise _unreadable(number, where, why)
    return found


def _read(kind: type[L], line: bytes, number: int, where: str) -> L:
    try:
        return kind.model_validate(orjson.loads(line))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # What the file says is no message's: not its value, and no field that nobody knows.
        known = [name for name in first["loc"] if name in kind.model_fields]
        why = f"{'.'.join(map(str, known)) or 'a field'}: {first['msg'].split(',')[0]}"
    except orjson.JSONDecodeError:
        why = "it is no JSON"
    raise _unreadable(number, where, why)


def _unreadable(number: int, where: str, why: str) -> PreflightError:
    return PreflightError(
        f"Line {number:,} of {where} is not what export/answers writes ({why}): nothing was"
        " imported; copy the file whole, or export it again."
    )
