"""The documents index in the demo: a small tree with every kind of trouble, in known amounts."""

import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from deployments.local.deployment_run import follow, start
from deployments.local.sample_documents import make_tree
from tasks.adapters.postgres import statements

COMBINATIONS = 40
COUNTERS = statements("documents/reports.sql")["documents_counters"]


def start_index(environment: Mapping[str, str], place: Path) -> str:
    """Make the tree, once, and start its import; return the flow run's id."""
    root = place / "documents"
    if not root.exists():
        make_tree(root, COMBINATIONS)
    return start("documents/index", environment, "--param", f"data_root={root}")


def finish_index(
    environment: Mapping[str, str], flow_run_id: str, place: Path
) -> tuple[str, list[str]]:
    """Wait for the import; return one line of counters and what is not as planted."""
    state = follow(environment, flow_run_id, _nothing)
    if state["type"] != "COMPLETED":
        return "", [f"documents/index ended as {state['name']}: {state.get('message')}"]
    found = _counters(place / "documents" / "db" / "documents.sqlite")
    with tempfile.TemporaryDirectory() as scratch:
        planted = make_tree(Path(scratch) / "tree", COMBINATIONS)
    wrong = [
        f"documents: {name} is {found.get(name)}, {amount} were planted."
        for name, amount in sorted(planted.items())
        if found.get(name, amount) != amount
    ]
    shown = ("draft_ok", "essay_parent_resolved", "eval_resolved", "bad_generations")
    return ", ".join(f"{name} {found[name]}" for name in shown), wrong


def _counters(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute(COUNTERS).fetchall())


def _nothing(_: str) -> None:
    """Show nothing: it runs beside the others."""
