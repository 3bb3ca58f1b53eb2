"""System instructions, one Markdown file per backfill."""

from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1] / "prompts"


@cache
def load(name: str) -> str:
    """Return a backfill's system instruction, exactly as the file has it."""
    return (_ROOT / f"{name}.md").read_text(encoding="utf-8").strip()
