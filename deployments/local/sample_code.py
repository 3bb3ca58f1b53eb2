"""Real code to try a backfill on: functions of the installed standard library."""

import ast
import hashlib
import textwrap
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from deployments.local.standard_library import ROOT, sources

LEAST, MOST = 250, 2400  # characters of a chunk
_LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "lib2to3", "__phello__"}
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

Chunk = dict[str, object]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def chunks(limit: int) -> Iterator[Chunk]:
    """Yield up to `limit` functions as rows of code_chunks, with ids that depend on names alone."""
    return islice(_every(), limit)


def _every() -> Iterator[Chunk]:
    seen: set[object] = set()
    for path in sources(_LEFT_OUT):
        for chunk in _of_file(path, path.relative_to(ROOT).as_posix()):
            if chunk["chunk_id"] not in seen:
                seen.add(chunk["chunk_id"])
                yield chunk


def _of_file(path: Path, name: str) -> Iterator[Chunk]:
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (SyntaxError, UnicodeDecodeError):
        return
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    shared = {"file_id": uuid5(NAMESPACE_URL, name), "imports": _imports(tree)}
    lines = text.splitlines(keepends=True)
    for class_name, node in _functions(tree, None):
        content = textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno]))
        if LEAST <= len(content) <= MOST:
            yield {**shared, "content": content, **_described(module, class_name, node, content)}


def _described(module: str, class_name: str | None, node: Function, content: str) -> Chunk:
    qualified = ".".join(filter(None, (module, class_name, node.name)))
    start = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return {
        "chunk_id": uuid5(NAMESPACE_URL, qualified),
        "chunk_type": "method" if class_name else "function",
        "name": node.name,
        "class_name": class_name,
        "symbol_qualified_name": qualified,
        "start_line": node.lineno,
        "end_line": node.end_lineno,
        "chunk_hash": hashlib.sha256(content.encode()).hexdigest(),
        "docstring": ast.get_docstring(node),
        "signature": f"{start} {node.name}({ast.unparse(node.args)})",
    }


def _imports(tree: ast.Module) -> list[str]:
    """Return the modules that a module imports at its top, each once."""
    found: dict[str, None] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            found.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            found[node.module or "."] = None
    return list(found)


def _functions(
    tree: ast.Module | ast.ClassDef, class_name: str | None
) -> Iterator[tuple[str | None, Function]]:
    """Yield functions and methods with their class, but none from inside another function."""
    for node in tree.body:
        if isinstance(node, _FUNCTION):
            yield class_name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{class_name}.{node.name}" if class_name else node.name)
