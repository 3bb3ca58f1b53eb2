"""Real text to try the backfill on: the installed standard library's own docstrings."""

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from deployments.local.standard_library import sources

SIZE = 600  # characters of a passage, about


def passages(limit: int) -> Iterator[tuple[UUID, str]]:
    """Yield up to `limit` passages, each once, with an id that depends on the text alone."""
    seen: set[UUID] = set()
    for path in sources({"site-packages", "test", "tests", "idlelib"}):
        for text in _of_file(path):
            key = uuid5(NAMESPACE_URL, text)
            if key not in seen:
                seen.add(key)
                yield key, text
                if len(seen) >= limit:
                    return


def _of_file(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _pieces(ast.get_docstring(node) or "")


def _pieces(docstring: str) -> Iterator[str]:
    """Yield paragraphs, joined up to about the passage's size; a lone short one says too little."""
    piece = ""
    for paragraph in re.split(r"\n\s*\n", textwrap.dedent(docstring)):
        if piece and len(piece) + len(paragraph) > SIZE * 1.2:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{paragraph.strip()}" if piece else paragraph.strip()
    if len(piece) > SIZE // 3:
        yield piece


if __name__ == "__main__":
    sys.stdout.writelines(f"{key} {len(text)}\n" for key, text in passages(10_000))
