"""`python -m deployments.record_version NAME`: note what a new extractor version means.

From then on the contract test fails when prompt, schema, model or template change under that
version. A site's choices do not count: what is recorded is the declaration as it stands here.
"""

import argparse
import sys
from pathlib import Path

import orjson

from tasks import backfills
from tasks.core.errors import BackfillError, SettingsError, VersionChangedError
from tasks.slices.requests import question_digest

DIGESTS = Path(__file__).resolve().parents[1] / "tests" / "prompt_digests.json"


def main() -> int:
    """Record the version, say so, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deployments.record_version", description=__doc__
    )
    parser.add_argument("name", help="a backfill that is declared in tasks/backfills/")
    try:
        print(record(parser.parse_args().name))
    except BackfillError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def record(name: str, file: Path = DIGESTS) -> str:
    """Write a version's digest beside the recorded ones; return a sentence about it.

    Raises VersionChangedError for a version that is recorded with another digest.
    """
    declared = backfills.declared()
    if name not in declared:
        raise SettingsError(f"No module declares '{name}'; there are: {', '.join(declared)}.")
    version, digest = declared[name].extractor_version, question_digest(declared[name])
    recorded = orjson.loads(file.read_bytes()) if file.exists() else {}
    versions = recorded.setdefault(name, {})
    if versions.get(version) == digest:
        return f"{version} of {name} was recorded already."
    if version in versions:
        raise VersionChangedError(
            f"{version} of {name} was recorded with another prompt, schema, model or template:"
            " give the changed question an extractor_version of its own, and record that."
        )
    versions[version] = digest
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    file.write_bytes(orjson.dumps(recorded, option=options))
    return f"{version} of {name} is recorded."


if __name__ == "__main__":
    sys.exit(main())
