"""What stands in the columns that we fill of a CSV."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from unicodedata import normalize

import orjson

from tasks.core.answers import BadReason
from tasks.core.ends import SkipReason
from tasks.core.unseen import is_blank, without_unseen

STATUS, MESSAGE = "status", "error_message"
SUCCESS, REVIEW, ERROR, INVALID = "SUCCESS", "HUMAN_REVIEW", "ERROR", "INVALID_INPUT"
ANSWERED = (SUCCESS, REVIEW)
"""The statuses of a row that has its answer; HUMAN_REVIEW where the model itself has doubts."""
UNANSWERED = (ERROR, INVALID)

Formulas = Literal["quoted", "as_is"]
"""What becomes of a text that a spreadsheet would take for a formula."""

# Also in the full width of East Asian keyboards, and what some spreadsheets skip before them.
_FORMULA = re.compile(r"[\t\r\n]|\s*+[=+\-@＝＋－＠]")  # noqa: RUF001
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)*|\.\d+)(?:[eE][+-]?\d+)?%?")

_NO_ID = ("null", "none", "n/a", "nan")


def target_id(named: str, content: str) -> str:
    """Return a row's id: its own where it has one, else by what is asked about it."""
    own = named.strip()
    has_none = is_blank(own) or own.casefold() in _NO_ID
    return f"content {content}" if has_none else own


def folded(name: str) -> str:
    """Return a column's name as it is compared: without case, outer blanks and what is unseen."""
    return " ".join(normalize("NFC", without_unseen(name)).split()).casefold()


def columns_named(name: str, header: Sequence[str]) -> list[int]:
    """Return where a header has a name: as it is, or else in another case or with blanks."""
    exact = [at for at, each in enumerate(header) if each == name]
    return exact or [at for at, each in enumerate(header) if folded(each) == folded(name)]


def safe(text: str, formulas: Formulas) -> str:
    """Return a text that no spreadsheet computes: with an apostrophe before a formula."""
    if formulas == "as_is" or not _FORMULA.match(text) or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def unsafe(cell: str) -> str:
    """Return what a text was before `safe` put its apostrophe there."""
    text = cell.removeprefix("'")
    return text if safe(text, "quoted") == cell else cell


def padded(record: Sequence[str], header: Sequence[str]) -> list[str]:
    """Return a record with an empty value for each nameless column at the end that it leaves out.

    A spreadsheet ends a header with such columns, and not every record.
    """
    named = next((at for at, name in enumerate(reversed(header)) if name.strip()), 0)
    lacking = len(header) - len(record)
    return [*record, *[""] * lacking] if 0 < lacking <= named else [*record]


def filled(
    row: Mapping[str, Any], prefix: str, columns: Sequence[str], formulas: Formulas = "quoted"
) -> dict[str, str]:
    """Return what goes into our columns of one row; all are empty before its question has ended."""
    cells = dict.fromkeys(columns, "")
    state, answer = row["state"], row["answer"]
    if state in (None, "planned") or (state == "written" and answer is None):
        return cells
    answer = answer or {}
    cells[prefix + STATUS], cells[prefix + MESSAGE] = _status(state, row, answer)
    for name, value in answer.items():
        if prefix + name in cells and name not in (STATUS, MESSAGE):
            cells[prefix + name] = shown(value)
    return {name: safe(cell, formulas) for name, cell in cells.items()}


def _status(state: str, row: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[str, str]:
    if state == "bad":
        detail = f" ({row['detail']})" if row["detail"] else ""
        return ERROR, f"{BadReason(row['reason']).explanation}{detail}"
    if state == "skipped":
        return INVALID, SkipReason(row["reason"]).explanation
    return str(answer.get(STATUS) or SUCCESS), ""


def shown(value: object) -> str:
    """Return a value as a spreadsheet shows it; a list as its items, anything deeper as JSON."""
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return str(value)
