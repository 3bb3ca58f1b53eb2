"""Real paragraphs from the docstrings of the standard library, and strategies for odd text."""

import ast
import sys
import sysconfig
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

any_text = st.text(st.characters(), max_size=120)
_ODD = (
    "ab cd\n\t\u00a0.-\u2014\"'\u201c\u00e9e\u0301\u0308\u00df\ufb01\u0130\u0131I\u2026"
    "\u200b\u200d\ufe0f\u00ad\u05e9\u0627\u1112\u1161\u11ab\uff76\uff9e\U0001f468\ud800\u03a3"
)
rich = st.text(st.sampled_from(_ODD), max_size=60)


@cache
def passages(count: int, size: int = 600) -> list[str]:
    """Return paragraphs of about `size` characters, always the same on one Python."""
    words = [word for text in _docstrings() for word in text.split()]
    found: list[str] = []
    taken: list[str] = []
    for word in words:
        taken.append(word)
        if sum(map(len, taken)) + len(taken) >= size:
            found.append(" ".join(taken))
            taken = []
        if len(found) == count:
            return found
    raise AssertionError(f"the standard library has only {len(found)} paragraphs")


def _docstrings() -> list[str]:
    library = Path(sysconfig.get_path("stdlib"))
    names = sorted(sys.stdlib_module_names)
    files = [path for name in names if (path := library / f"{name}.py").is_file()]
    found: dict[str, None] = {}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found[ast.get_docstring(node) or ""] = None
    return list(found)
