"""`python -m deployments.save_prompt NAME`: keep the prompt that was tried last as a file.

It becomes the next version's once the lines that this prints stand in the site file.
"""

import argparse
import sys

from tasks import backfills
from tasks.adapters import site
from tasks.adapters.ledger import tries
from tasks.adapters.postgres import connect
from tasks.core.errors import BackfillError, PreflightError
from tasks.core.next_version import next_version

FOLDER = "prompts"


def main() -> int:
    """Save the prompt, say what to write, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.save_prompt", description=__doc__)
    parser.add_argument("name", help="the backfill with which try/rows was run")
    try:
        print(save_prompt(parser.parse_args().name))
    except BackfillError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def save_prompt(name: str) -> str:
    """Write the prompt that was tried last beside the site file; return what makes it count.

    Raises PreflightError where none was tried, or the file is there.
    """
    backfill = backfills.get(name)
    with connect() as connection:
        tried = tries.last_instruction(connection, name)
        known = tries.known_versions(connection, name)
    if tried is None:
        raise PreflightError(f"No prompt was tried for {name}: run try/rows with one first.")
    version = next_version(backfill.extractor_version, known)
    place = f"{FOLDER}/{name}-{version}.md"
    file = site.beside(place)
    if file.exists():
        raise PreflightError(f"{file} is there already: take its lines, or move it away first.")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{tried.instruction}\n", encoding="utf-8")
    lines = [f"[{name}]", f'extractor_version = "{version}"', f'prompt = "{place}"']
    if tried.model != backfill.model:
        lines.append(f'model = "{tried.model}"')
    return "\n".join([f"Saved as {file}. It counts once these lines stand in {site.NAME}:", *lines])


if __name__ == "__main__":
    sys.exit(main())
