"""What the users' worlds share: a site file, and looks at what came of a run."""

from pathlib import Path
from typing import Any

import pytest
from engine_hand import Engine, forget_settings

Json = dict[str, Any]


def site(monkeypatch: pytest.MonkeyPatch, place: Path, text: str) -> Path:
    """Let the rest of a test run with this site file; return its path."""
    file = place / "backfills.toml"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(file))
    forget_settings()
    return file


def checkpoint(engine: Engine, job_name: str) -> Json:
    """Return a row of kb_migrations."""
    [row] = engine.sql("select * from kb_migrations where job_name = %(name)s", name=job_name)
    return row


def false_offsets(engine: Engine, rows: str, text: str) -> list[Json]:
    """Return the support entries whose quote is not what stands at their offsets.

    `rows` is a from-clause that yields evidence, `text` the expression of the text it is about.
    """
    return engine.sql(
        "select entry from " + rows + " cross join lateral jsonb_array_elements("
        "to_jsonb(evidence) -> 'support') as entry where substr(" + text + ","
        " (entry ->> 'start')::int + 1, (entry ->> 'end')::int - (entry ->> 'start')::int)"
        " <> entry ->> 'quote'"
    )
