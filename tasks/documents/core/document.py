"""One document: the row it becomes and the files it holds, from a CSV row and bytes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tasks.documents.core.identity import doc_id, logical_key_id
from tasks.documents.core.layout import MANY_READINGS, NO_READING, SHIFTED
from tasks.documents.core.responses import parse
from tasks.documents.core.timestamps import iso

COLUMNS = (
    "doc_id",
    "logical_key_id",
    "stage",
    "task_id",
    "parent_doc_id",
    "template_id",
    "model_id",
    "run_id",
    "doc_dir",
    "source_csv",
    "row_key",
    "combo_id",
    "status",
    "generated_at",
    "raw_bytes",
    "parsed_bytes",
    "prompt_bytes",
)


@dataclass(frozen=True)
class Document:
    """A row of `documents`, and the files of its directory by name."""

    record: dict[str, Any]
    files: dict[str, bytes]


@dataclass(frozen=True)
class RowEnd:
    """Where one CSV row ended: written, bad or skipped; why; and its document when written."""

    state: str
    reason: str | None = None
    detail: str | None = None
    record: dict[str, Any] | None = None


def refusal(row: Mapping[str, Any]) -> RowEnd | None:
    """Return the end of a row that needs no reading to be refused, None for one to go on with."""
    if row["fault"] == "duplicate_row":
        return RowEnd("skipped", "duplicate_row", "the same row stands earlier in this CSV")
    if row["fault"]:
        reason = row["fault"] if row["fault"] == "missing_task_id" else "malformed_row"
        return RowEnd("bad", reason, _FAULTS[row["fault"]])
    if row["stage"] == "draft" or row["parent_doc_id"]:
        return None
    return RowEnd("bad", _UNRESOLVED[row["stage"]], _why_unresolved(row))


_OTHER_WIDTH = "the row has more or fewer cells than the header, and "
_FAULTS = {
    MANY_READINGS: _OTHER_WIDTH + "which cell is whose column's cannot be told without guessing",
    NO_READING: _OTHER_WIDTH + "however they are read, a field that it needs is missing",
    SHIFTED: "a time, a status, a size or a file stands in the column of another of them",
    "missing_task_id": "the row has no task id",
}
_UNRESOLVED = {"essay": "unresolved_parent", "evaluation": "unresolved_target"}


def _why_unresolved(row: Mapping[str, Any]) -> str:
    if row["parent_task_id"] is not None:
        return f"{row['parent_task_id']} in {row['parent_csv']} is itself on this list"
    if row["stage"] == "evaluation":
        return "no essay has this essay_task_id, and no draft or essay this generation_task_id"
    if row["instant"] is None:
        return "the timestamp cannot be read, so no draft can be called earlier"
    if row["undated_draft"]:
        return (
            f"{row['undated_draft']} may be what it was made from, but has a timestamp that cannot"
            " be read: correct it there"
        )
    return "no successful draft of this combo_id and model is as old as this essay"


def logical_key(row: Mapping[str, Any]) -> str:
    """Return the logical key of a row; a row without a parent falls back to its combination."""
    return logical_key_id(
        row["stage"], row["combo_id"], row["template_id"], row["model_id"], row["parent_doc_id"]
    )


def build(row: Mapping[str, Any], run_id: str, raw: bytes, prompt: bytes | None) -> Document:
    """Return the document of a resolved row; the same arguments give the same bytes."""
    text = parse(raw)
    parsed = text.text.encode() + b"\n"
    files = {"raw.txt": raw, "parsed.txt": parsed}
    if prompt is not None:
        files["prompt.txt"] = prompt
    record = _identity(row, run_id) | {
        "raw_bytes": len(raw),
        "parsed_bytes": len(parsed),
        "prompt_bytes": None if prompt is None else len(prompt),
    }
    extras = _extras(row) | {"encoding": text.encoding, "replaced_characters": text.replaced}
    files["metadata.json"] = _metadata_file(record, extras, files)
    return Document(record | {"metadata": dump(extras)}, files)


def restored(metadata_json: bytes) -> dict[str, Any]:
    """Return the row of `documents` that a directory's metadata.json describes."""
    found = orjson.loads(metadata_json)
    extras = {k: v for k, v in found.items() if k not in COLUMNS and k != "sha256"}
    return {column: found[column] for column in COLUMNS} | {"metadata": dump(extras)}


def checksums(metadata_json: bytes) -> dict[str, str]:
    """Return the SHA-256 of each file of a directory, as its metadata.json tells them."""
    return dict(orjson.loads(metadata_json)["sha256"])


def dump(value: dict[str, Any]) -> str:
    """Return compact JSON with sorted keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _identity(row: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    key = logical_key(row)
    document = doc_id(key, run_id, row["source_csv"], row["row_key"])
    return {
        "doc_id": document,
        "logical_key_id": key,
        "stage": row["stage"],
        "task_id": row["task_id"],
        "parent_doc_id": row["parent_doc_id"],
        "template_id": row["template_id"],
        "model_id": row["model_id"],
        "run_id": run_id,
        "doc_dir": f"{row['stage']}/{key}/{document}",
        "source_csv": row["source_csv"],
        "row_key": row["row_key"],
        "combo_id": row["combo_id"],
        "status": row["status"],
        "generated_at": None if row["instant"] is None else iso(row["instant"]),
    }


def _extras(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "timestamp": row["timestamp"],
        "response_file": row["response_file"],
        "prompt_file": row["prompt_file"],
        "score": row["score"],
    }
    return {name: value for name, value in told.items() if value}


def _metadata_file(
    record: dict[str, Any], extras: dict[str, Any], files: dict[str, bytes]
) -> bytes:
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return orjson.dumps(
        record | extras | {"sha256": sums},
        option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )
