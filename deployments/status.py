"""`python -m deployments.status`: where every backfill stands, in a terminal or for a script."""

import argparse
import sys
import time
from dataclasses import asdict

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tasks import backfills
from tasks.adapters import status
from tasks.core.census import Census
from tasks.core.errors import BackfillError
from tasks.core.status import BackfillStatus, RunStatus, Status, duration
from tasks.core.unseen import printable

CONSOLE = Console(highlight=False)
MOST_JOBS = 12


def main() -> int:
    """Show the status once, or again and again; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.status", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document, for scripts")
    parser.add_argument("--watch", action="store_true", help="refresh until Ctrl-C")
    parser.add_argument(
        "--census",
        action="store_true",
        help="also count stale, orphaned, edited, … rows: reads the tables, so it takes longer",
    )
    parser.add_argument("--every", type=float, default=2.0, help="seconds between looks")
    arguments = parser.parse_args()
    try:
        if arguments.watch and not arguments.json:
            watch(arguments.every, census=arguments.census)
        else:
            once(as_json=arguments.json, census=arguments.census)
    except BackfillError as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def once(*, as_json: bool, census: bool = False) -> None:
    """Print the status as JSON, as tables, or as plain lines where nobody sees colours."""
    now = _read(census=census)
    if as_json:
        print(now.model_dump_json(indent=2))
    elif CONSOLE.is_terminal:
        CONSOLE.print(view(now))
    else:
        print("\n".join(lines(now)))


def watch(every: float, *, census: bool = False) -> None:
    """Keep the status on the screen; where there is no screen, print a block of lines each time."""
    if not CONSOLE.is_terminal:
        while True:
            print("\n".join(lines(_read(census=census))), flush=True)
            time.sleep(every)
    with Live(view(_read(census=census)), console=CONSOLE, auto_refresh=False) as live:
        while True:
            live.update(view(_read(census=census)), refresh=True)
            time.sleep(every)


def view(now: Status) -> RenderableType:
    """Return the status for a terminal."""
    if not now.backfills:
        return Text("The ledger is empty: nothing was run yet. Start with backfill/pilot.")
    parts = [part for each in now.backfills for part in _parts(each)]
    return Group(*parts, Text(f"{now.at:%Y-%m-%d %H:%M:%S} UTC", style="dim"))


def lines(now: Status) -> list[str]:
    """Return the status as plain `name value` lines, one fact each."""
    found = [printable(f"{name} {value}") for each in now.backfills for name, value in _facts(each)]
    return found or ["empty ledger: nothing was run yet"]


def _read(*, census: bool) -> Status:
    everything = [backfills.get(name) for name in backfills.names()] if census else []
    return status.read(everything)


def _parts(each: BackfillStatus) -> list[RenderableType]:
    parts: list[RenderableType] = [
        Text(f"{each.backfill}  {each.extractor_version}", style="bold"),
        _bar(each),
        _counts(each),
    ]
    parts += [Text(f"  {said}") for said in each.advice]
    if each.census:
        parts.append(_census(each.census))
    if each.to_restore:
        parts.append(Text(f"  {each.to_restore:,} to be restored from kept answers, 0 USD"))
    if each.run:
        parts.append(_run(each.run))
    if each.jobs:
        parts.append(_jobs(each))
    return [*parts, Text("")]


def _bar(each: BackfillStatus) -> Table:
    line = Table.grid(padding=(0, 1))
    share = f"{100 * each.ended / max(1, each.targets):.1f}% of {each.targets:,} targets"
    bar = ProgressBar(total=max(1, each.targets), completed=each.ended, width=40)
    line.add_row(bar, share)
    return line


def _counts(each: BackfillStatus) -> Table:
    table = Table("planned", "in flight", "written", "empty", "bad", "skipped", box=None)
    table.add_row(
        *(
            f"{count:,}"
            for count in (
                each.planned,
                each.in_flight,
                each.written,
                each.empty,
                each.bad,
                each.skipped,
            )
        )
    )
    for reason, count in each.bad_reasons.items():
        table.add_row("", "", "", "", f"{count:,}", reason, style="dim")
    return table


def _census(census: Census) -> Table:
    table = Table("what stands in the tables", "targets", box=None)
    for name, count in census.lines():
        table.add_row(name, f"{count:,}")
    return table


def _run(run: RunStatus) -> Text:
    said = f"\n  {run.message}" if run.message else ""
    return Text(printable(f"  {run.kind} run {run.state}: {run.progress}{said}"))


def _jobs(each: BackfillStatus) -> Table:
    table = Table("slice", "batch job", "targets", "state", "age", box=None)
    for job in each.jobs[:MOST_JOBS]:
        name = job.job_name or "not known yet"
        age = duration(job.age_seconds)
        table.add_row(job.slice_id, name, f"{job.request_count:,}", job.state, age)
    if len(each.jobs) > MOST_JOBS:
        table.add_row(f"and {len(each.jobs) - MOST_JOBS} more", "", "", "", "")
    return table


def _facts(each: BackfillStatus) -> list[tuple[str, object]]:
    name = f"{each.backfill}.{each.extractor_version}"
    counts = ("targets", "planned", "in_flight", "written", "empty", "bad", "skipped")
    facts: list[tuple[str, object]] = [(f"{name}.{key}", getattr(each, key)) for key in counts]
    facts += [(f"{name}.bad.{reason}", count) for reason, count in each.bad_reasons.items()]
    facts += [(f"{name}.reading.{number}", count) for number, count in each.readings.items()]
    facts.append((f"{name}.to_restore", each.to_restore))
    if each.paused_since:
        facts.append((f"{name}.paused_since", each.paused_since.isoformat(timespec="seconds")))
    if each.census:
        facts += [(f"{name}.census.{key}", count) for key, count in asdict(each.census).items()]
    facts.append((f"{name}.spent_usd", f"{each.spent_usd:.4f}"))
    if each.run:
        facts += [(f"{name}.run.{key}", value) for key, value in _run_facts(each.run)]
    for job in each.jobs:
        told = f"{job.job_name or '-'} {job.state} {job.request_count} {duration(job.age_seconds)}"
        facts.append((f"{name}.job.{job.slice_id}", told))
    return facts


def _run_facts(run: RunStatus) -> list[tuple[str, object]]:
    return [
        ("kind", run.kind),
        ("state", run.state),
        ("approved_usd", f"{run.approved_usd:.4f}"),
        ("in_flight_usd", f"{run.in_flight_usd:.4f}"),
        ("per_hour", f"{run.targets_per_hour or 0:.0f}"),
        ("restored", run.restored),
        ("left", duration(run.seconds_left) if run.ended < run.targets else "0 s"),
    ]


if __name__ == "__main__":
    sys.exit(main())
