"""The demo: the main job, end to end, on the embedded stack, through real deployments."""

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from deployments.local.demo_documents import finish_index, start_index
from deployments.local.demo_others import finish_all, lines, start_all
from deployments.local.deployment_run import follow, start
from deployments.local.samples import load_all
from deployments.local.stack import Stack
from tasks.adapters.postgres import Connection, connect, statements

PASSAGES = 2200
PILOT = 200
BUDGET_USD = 5.0
SLICE_SIZE = 250
SQL = statements("demo/passages.sql")


class Demo:
    """Loads real text, runs a pilot and a full backfill, and checks what came of it."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self._stack = stack
        self._console = console
        self._began = time.monotonic()
        self._environment: dict[str, str] = {}
        self._problems: list[str] = []

    def run(self) -> int:
        """Run it all; return 0 only if the sums add up and nobody else's row changed."""
        addresses = self._stack.up()
        self._environment = self._stack.environment()
        load_all(self._stack, PASSAGES)
        with self._connect() as connection:
            legacy = self._legacy(connection)
        self._say(f"{PASSAGES:,} passages from the standard library's own docstrings")
        self._say(f"Pilot: {PILOT} random passages")
        self._deployment("backfill/pilot")
        self._show_report("pilot")
        self._say("Full run: everything that remains, approved on the command line")
        approval = f"approve_up_to_usd={BUDGET_USD}"
        options = ("--param", approval, "--param", f"slice_size={SLICE_SIZE}")
        others = start_all(self._environment, self._stack.home)
        index = start_index(self._environment, self._stack.home)
        self._deployment("backfill/full", *options)
        with self._connect() as connection:
            self._result(connection, legacy)
        table = lines()
        self._problems += finish_all(self._environment, others, table)
        self._console.print(table)
        counters, problems = finish_index(self._environment, index, self._stack.home)
        self._console.print(f"Documents index: {counters}")
        self._problems += problems
        secret = f", which asks for {addresses.prefect_secret}" if addresses.prefect_secret else ""
        self._console.print(f"Prefect UI: {addresses.prefect_url}{secret}")
        self._console.print("make down stops it all.")
        for problem in self._problems:
            self._console.print(problem, style="red", markup=False)
        return 1 if self._problems else 0

    def _say(self, what: str) -> None:
        self._console.rule(f"[bold]{what}", align="left")

    def _connect(self) -> Connection:
        return connect(self._environment["BACKFILL_DATABASE_URL"])

    def _legacy(self, connection: Connection) -> str:
        """Return a checksum of the rows that are not ours."""
        row = connection.execute(SQL["legacy_checksum"]).fetchone()
        return str(row and row["checksum"])

    def _deployment(self, name: str, *options: str) -> None:
        """Run a deployment as a person would, and show what it logs; note it if it fails."""
        self._console.print(f"$ prefect deployment run {name} {' '.join(options)}")
        flow_run_id = start(name, self._environment, *options)
        state = follow(self._environment, flow_run_id, self._print_line)
        if state["type"] != "COMPLETED":
            self._problems.append(f"{name} ended as {state['name']}: {state.get('message')}")

    def _print_line(self, line: str) -> None:
        self._console.print(line, markup=False, style="dim")

    def _show_report(self, kind: str) -> None:
        reports = sorted(Path(self._environment["BACKFILL_REPORTS_DIR"]).glob(f"*-{kind}.md"))
        if reports:
            self._console.print(Markdown(reports[-1].read_text(encoding="utf-8")))

    def _result(self, connection: Connection, legacy: str) -> None:
        """Print the closing table; note what does not hold."""
        result = connection.execute(SQL["result"]).fetchone() or {}
        self._console.print(self._table(result))
        ends = result.get("ends") or {}
        if sum(ends.values()) != result.get("targets") or "planned" in ends:
            self._problems.append(
                f"The sums do not add up: {ends} for {result.get('targets')} targets."
            )
        if self._legacy(connection) != legacy:
            self._problems.append("Rows of other extractor versions have changed.")
        offsets = connection.execute(SQL["false_offsets"]).fetchone()
        if offsets is None or offsets["false_offsets"]:
            self._problems.append(f"Quotes do not stand where their offsets say: {offsets}.")

    def _table(self, result: dict[str, Any]) -> Table:
        table = Table("passage_concepts", "", title="What the demo did", title_justify="left")
        table.add_row("targets", f"{result['targets']:,}")
        for label, count in sorted((result["ends"] or {}).items()):
            table.add_row(label, f"{count:,}")
        table.add_row("concepts", f"{result['concepts']:,}")
        table.add_row("evidence coverage", f"{float(result['evidence_coverage'] or 0):.2%}")
        table.add_row("batch jobs", f"{result['slices']:,}")
        table.add_row("tokens in", f"{result['input_tokens'] or 0:,}")
        table.add_row("tokens out", f"{result['output_tokens'] or 0:,}")
        table.add_row("cost at batch price", f"{result['cost_usd'] or 0:.4f} USD")
        table.add_row("time", f"{time.monotonic() - self._began:.0f} s")
        return table
