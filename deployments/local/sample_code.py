"""Real code to try a backfill on: functions of the installed standard library."""

import ast
import sysconfig
import textwrap
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

LEAST, MOST = 250, 2400  # characters of a chunk
_LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "lib2to3", "__phello__"}
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def chunks(limit: int) -> Iterator[tuple[str, str]]:
    """Yield up to `limit` functions as (module path and qualified name, source)."""
    return islice(_every(), limit)


def _every() -> Iterator[tuple[str, str]]:
    root = Path(sysconfig.get_paths()["stdlib"])
    seen: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        if _LEFT_OUT.isdisjoint(path.parts):
            for name, source in _of_file(path):
                key = f"{path.relative_to(root).as_posix()}:{name}"
                if key not in seen:
                    seen.add(key)
                    yield key, source


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (SyntaxError, UnicodeDecodeError):
        return
    lines = text.splitlines(keepends=True)
    for name, node in _functions(tree, ""):
        source = textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno]))
        if LEAST <= len(source) <= MOST:
            yield name, source


def _functions(
    tree: ast.Module | ast.ClassDef, prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield functions and methods by qualified name, but none from inside another."""
    for node in tree.body:
        if isinstance(node, _FUNCTION):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
