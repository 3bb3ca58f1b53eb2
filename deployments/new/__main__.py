"""`make new NAME=… TABLE=… ID=… TEXT=…`: print or write a backfill drafted from a live table."""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from deployments.new.draft import Draft, draft
from deployments.new.wish import Wish
from tasks.adapters import site
from tasks.adapters.postgres import Connection, connect
from tasks.core.errors import BackfillError, SettingsError

TASKS = Path(__file__).resolve().parents[2] / "tasks"


def main() -> int:
    """Print or write the draft; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.new", description=__doc__)
    for field in fields(Wish):
        parser.add_argument(f"--{field.name}", default="")
    parser.add_argument("--write", default="", help="write the files instead of printing them")
    parser.add_argument("--create", default="", help="make the target's table, if it is missing")
    given = vars(parser.parse_args())
    write, create = given.pop("write"), given.pop("create")
    given["columns"] = tuple(given["columns"].replace(",", " ").split())
    try:
        with connect() as connection:
            made = draft(connection, Wish(**given))
            print("\n".join(_shown(connection, made, write=write, create=create)))
    except BackfillError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _shown(connection: Connection, made: Draft, *, write: str, create: str) -> list[str]:
    """Return what to print; what was asked for is done by then."""
    files = _files(made)
    if write:
        _write(files, made)
        said = [f"Written: {_short(path)}" for path in files]
    else:
        said = [f"# {_short(path)}\n\n{text}" for path, text in files.items()]
    if not made.declaration:
        said.insert(0, "# No module is needed: these lines of the site file are all.\n")
    if made.create is not None:
        said.append(_table(connection, made, create=create))
    return [*said, *(f"# {note}" for note in made.notes), *_steps(made, write=write)]


def _files(made: Draft) -> dict[Path, str]:
    files = {
        TASKS / "backfills" / f"{made.name}.py": made.declaration,
        TASKS / "prompts" / f"{made.name}.md": made.prompt,
        site.path() or Path(site.NAME): made.site,
    }
    return {path: text for path, text in files.items() if text}


def _write(files: dict[Path, str], made: Draft) -> None:
    """Write new files, and the site's lines below what stands there."""
    for path in files:
        if path.suffix != ".toml" and path.exists():
            raise SettingsError(f"{_short(path)} is there already: take it away, or change NAME.")
    for path, text in files.items():
        if text == made.site and path.exists():
            text = f"{path.read_text(encoding='utf-8').rstrip()}\n\n{text}".lstrip()  # noqa: PLW2901
        path.write_text(text, encoding="utf-8")


def _table(connection: Connection, made: Draft, *, create: str) -> str:
    assert made.create is not None  # noqa: S101 - asked before
    if create:
        connection.execute(made.create)
        return "The table for the answers is made."
    wanted = "-- The table for the answers, which is not there yet (CREATE=1 makes it):"
    return f"{wanted}\n\n{made.create.as_string(connection)};\n"


def _steps(made: Draft, *, write: str) -> list[str]:
    recorded = f"make record-version NAME={made.name}; " if made.declaration else ""
    first = "" if write else "WRITE=1 writes it; "
    run = f"prefect deployment run backfill/pilot --param name={made.name}"
    return [f"# Next: {first}{recorded}make up; {run}"]


def _short(path: Path) -> Path:
    return path.relative_to(TASKS.parent) if path.is_relative_to(TASKS.parent) else path


if __name__ == "__main__":
    sys.exit(main())
