"""How much one reads to follow a slice: the code that it enters from plan to commit.

    python -m bench.path [--functions]

The flows' own code runs in this process over a few passages, with a real Postgres and the emulator
over HTTP, and with Prefect taken out. Followed are the plan, and the slice's own flow until its
commit; not what a run does in between: its estimate, its approval, its waves. A file counts when a
function of it is called, not when it is imported, and as if nothing were cached yet; a file of SQL
when a statement of it is sent.
"""

import asyncio
import dis
import inspect
import os
import re
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx
import psycopg
from prefect.logging import disable_run_logger
from psycopg import sql

from bench.database import temporary_database
from bench.without_prefect import take_out
from bench.world import load
from deployments.local.emulator.serve import running

ROOT = Path(__file__).resolve().parents[1]
OURS = tuple(f"{ROOT / name}{os.sep}" for name in ("flows", "tasks"))
DRIVER = f"{Path(psycopg.__file__).parent}{os.sep}"
HEADING = re.compile(r"^-- name: \w+[ \t]*\n", re.MULTILINE)
PLACEHOLDER = re.compile(r"{\w*}")
PASSAGES = 5
Stage = Callable[..., Awaitable[Any]]


class Followed:
    """The code that was entered, and the statements that were sent, while it was followed."""

    def __init__(self) -> None:
        self.is_on = False
        self._codes: set[CodeType] = set()
        self._sent: set[str] = set()

    def note(self, frame: FrameType, event: str, _: object) -> None:
        """Take in one event of the interpreter's."""
        if event != "call" or not self.is_on:
            return
        code = frame.f_code
        if code.co_filename.startswith(OURS):
            if not _is_resumed(frame):
                self._codes.add(code)
        elif code.co_name in ("execute", "copy") and code.co_filename.startswith(DRIVER):
            self._sent.add(_as_text(frame.f_locals.get("query", frame.f_locals.get("statement"))))

    def functions(self) -> dict[str, list[str]]:
        """Return the named functions that were entered, by their files."""
        found: dict[str, set[str]] = {}
        for code in self._codes:
            is_function = code.co_flags & inspect.CO_OPTIMIZED
            if is_function and not code.co_name.startswith("<"):
                file = str(Path(code.co_filename).relative_to(ROOT))
                found.setdefault(file, set()).add(code.co_qualname)
        return {file: sorted(names) for file, names in sorted(found.items())}

    def sql_files(self) -> dict[str, int]:
        """Return the files under sql/ of which statements were sent, with how many."""
        used = {
            str(path.relative_to(ROOT)): sum(map(self._was_sent, statements(path)))
            for path in sorted((ROOT / "sql").rglob("*.sql"))
        }
        return {path: count for path, count in used.items() if count}

    def _was_sent(self, statement: str) -> bool:
        pieces = [piece.strip() for piece in PLACEHOLDER.split(statement)]
        return any(all(piece in sent for piece in pieces) for sent in self._sent)


def _is_resumed(frame: FrameType) -> bool:
    """Return whether a coroutine only goes on: nobody has called it just now."""
    code = frame.f_code
    if not code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR):
        return False
    made = code.co_code[::2].index(dis.opmap["RETURN_GENERATOR"]) * 2
    return frame.f_lasti > made + 4  # POP_TOP and RESUME come first


def statements(path: Path) -> list[str]:
    """Return the named statements of a file."""
    return [each.strip().rstrip(";") for each in HEADING.split(path.read_text("utf-8"))[1:]]


def _as_text(query: object) -> str:
    if isinstance(query, sql.Composable):
        return query.as_string(None)
    return query.decode() if isinstance(query, bytes) else str(query)


def main() -> None:
    """Print what one slice enters, and how much that is."""
    followed = Followed()
    with tempfile.TemporaryDirectory() as place, running(Path(place) / "emulator") as address:
        emulator = address.base_url
        settings = {"run_seconds": 0.0, "trouble": 0.0}
        httpx.post(f"{emulator}/_emulator/settings", json=settings).raise_for_status()
        with temporary_database("select") as url:
            os.environ |= {
                "BACKFILL_DATABASE_URL": url,
                "BACKFILL_GEMINI_URL": emulator,
                "BACKFILL_POLL_SECONDS": "0.1",
                "BACKFILL_REPORTS_DIR": f"{place}/reports",
                "BACKFILL_WORK_DIR": f"{place}/work",
                "GEMINI_API_KEY": "a-key",
            }
            load(url, PASSAGES)
            _follow(followed)
    _show(followed)


def _follow(followed: Followed) -> None:
    """Run the backfill, and follow its plan and its slice."""
    import flows.backfill
    from tasks.adapters.migrations import apply_migrations

    apply_migrations()
    take_out()
    here = vars(flows.backfill)
    here["make_plan"] = _switching(here["make_plan"], followed, begins=True)
    here["backfill_slice"] = _switching(here["backfill_slice"], followed, begins=False)
    threading.setprofile(followed.note)
    sys.setprofile(followed.note)
    options = {"approve_up_to_usd": 100.0, "without_pilot": True, "transport": "batch"}
    with disable_run_logger():
        end = asyncio.run(flows.backfill.backfill.fn("passage_concepts", **options))
    sys.setprofile(None)
    threading.setprofile(None)
    print(end.message)


def _switching(stage: Stage, followed: Followed, *, begins: bool) -> Stage:
    async def switched(*given: object, **named: object) -> object:
        if begins:
            _forget()
        followed.is_on = True
        try:
            return await stage(*given, **named)
        finally:
            followed.is_on = False

    return switched


def _forget() -> None:
    """Empty every cache of the product, so that whoever fills one first is followed."""
    for module in [each for name, each in sys.modules.items() if name.startswith("tasks.")]:
        for value in list(vars(module).values()):
            if clear := getattr(value, "cache_clear", None):
                clear()


def _show(followed: Followed) -> None:
    functions, sent = followed.functions(), followed.sql_files()
    for file, names in functions.items():
        print(f"  {len(names):3} functions  {file}")
        if "--functions" in sys.argv:
            print("".join(f"         {name}\n" for name in names), end="")
    for file, count in sent.items():
        print(f"  {count:3} statements {file}")
    entered = sum(map(len, functions.values()))
    print(f"{len(functions)} files, {entered} functions; {len(sent)} SQL files", end="")
    print(f", {sum(sent.values())} statements")


if __name__ == "__main__":
    main()
