"""A run followed in a terminal: what it shows, what is typed there, and its exit code."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

from deployed import Deployed
from engine_hand import sample_text
from test_approval import FULL, ledger

COMMAND = [sys.executable, "-m", "deployments.run"]


def environment(on_stack: Deployed) -> dict[str, str]:
    joined = on_stack.stack.addresses().environment(on_stack.stack.home)
    ours = {**joined, "BACKFILL_DATABASE_URL": on_stack.database_url, "TERM": "xterm"}
    return {**os.environ, **ours, "COLUMNS": "250"}


def read_until(terminal: int, words: str) -> str:
    """Return what the terminal shows up to these words, or all where they never come."""
    seen = ""
    with suppress(OSError):  # the end of a terminal whose process has ended
        while not words or words not in seen:
            seen += os.read(terminal, 65536).decode()
    return seen


def names(on_stack: Deployed, what: str, wanted: dict[str, object]) -> list[str]:
    found = on_stack.api.post(f"/{what}/filter", json={**wanted, "limit": 200})
    return [each["name"] for each in found.raise_for_status().json()]


def piped(on_stack: Deployed, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(on_stack),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_yes_typed_in_the_terminal_approves_and_the_run_is_followed_to_its_end(
    on_stack: Deployed,
) -> None:
    on_stack.load(40)
    run = on_stack.start("backfill/full", **FULL)
    terminal, its_side = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, run], env=environment(on_stack), stdin=its_side, stdout=its_side, stderr=its_side
    ) as process:
        os.close(its_side)
        asked = read_until(terminal, "on its page: http")
        os.write(terminal, b"yess\n")
        unclear = read_until(terminal, "or an amount in USD")
        os.write(terminal, b"yes\n")
        after = read_until(terminal, "")
    os.close(terminal)

    assert "40 targets in 1 batch jobs, about 0.0" in asked.replace("2 batch", "1 batch"), asked
    assert "Type yes to approve up to 0." in asked
    assert f"/runs/flow-run/{run}" in asked
    assert "Type yes, no, or an amount in USD" in unclear
    assert "USD approved (in the run's form)." in after
    assert "waiting for a person" not in after.partition("USD approved")[2]
    assert "40 of 40, " in after, "no bar was shown"
    assert "Completed: 40 targets: " in after, after
    assert "Reports: " in after
    assert process.returncode == 0
    parts = names(on_stack, "flow_runs", {"flow_runs": {"name": {"like_": " of 2, "}}})
    stages = names(on_stack, "task_runs", {"flow_runs": {"id": {"any_": [run]}}})
    assert {part.split(", ")[1] for part in parts} >= {"19 rows", "20 rows"}
    assert not [stage for stage in stages if stage.startswith(("import", "export"))]
    assert ledger(on_stack)["approved_by"] == "form"


def test_without_a_terminal_lines_are_plain_and_a_failed_run_is_an_exit_code(
    on_stack: Deployed,
) -> None:
    on_stack.sql("drop table passages cascade")
    run = on_stack.start("backfill/full", **FULL)

    code, shown = piped(on_stack, run)
    missing, said = piped(on_stack, "backfill/none")
    looked, status = piped(on_stack, "status/progress", "--param", "census=false")

    assert code == 1
    assert "Failed: Set source.table in [passage_concepts] of backfills.toml: database" in shown
    assert "\x1b" not in shown
    assert missing == 1
    assert said.startswith("Deploy first")
    assert looked == 0, status
    assert "Completed: " in status


def test_a_row_is_tried_and_explained_in_the_terminal_as_on_the_runs_page(
    on_stack: Deployed,
) -> None:
    on_stack.sql("drop table passages")
    on_stack.sql("create table passages (passage_id bigint primary key, passage_text text)")
    on_stack.sql("insert into passages values (7, %(text)s)", text=f"{sample_text(1)} \x1b[31m")
    refused, why = piped(on_stack, on_stack.start("try/rows", ids="nobody"))
    code, tried = piped(on_stack, on_stack.start("try/rows", count=2))

    [spent] = on_stack.sql("select cost_usd from backfill.tries")
    explained, life = piped(on_stack, on_stack.start("explain/row", target_id="7"))

    assert (refused, code, explained) == (1, 0, 0), (why, tried, life)
    assert "Failed: passages has no row 'nobody', or it was forgotten on request." in why
    assert "Tried: 1 row of passage_concepts asked of gemini-" in tried
    page = on_stack.artifact("passage-concepts-try")
    assert page.strip() in tried
    assert "\x1b" not in page
    assert spent["cost_usd"] > 0
    assert "Explained: 7 was never asked by passage_concepts: no run has taken it on." in life
    assert on_stack.artifact("passage-concepts-explain").splitlines()[0] in life
