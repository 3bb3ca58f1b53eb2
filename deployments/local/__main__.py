"""`python -m deployments.local up|down|status|logs|demo`."""

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deployments.local import interrupts
from deployments.local.errors import StackError
from deployments.local.processes import tail
from deployments.local.stack import PROJECT, Stack
from tasks.core.errors import BackfillError

CONSOLE = Console(highlight=False, soft_wrap=True)
LOG_LINES = 20


def main() -> int:
    """Run one command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.local", description=__doc__)
    parser.add_argument("command", choices=[*COMMANDS])
    parser.add_argument("--root", type=Path, default=PROJECT, help="where .local/ is kept")
    arguments = parser.parse_args()
    interrupts.listen()
    try:
        stack = Stack(arguments.root, say=CONSOLE.print)
        # Importing Prefect makes its home at once: not in the user's own home directory.
        os.environ.setdefault("PREFECT_HOME", str(stack.home / "prefect"))
        return COMMANDS[arguments.command](stack)
    except (StackError, BackfillError) as error:
        CONSOLE.print(str(error), style="red", markup=False)
    except KeyboardInterrupt:
        CONSOLE.print("Interrupted: what this command had started was stopped again.")
    return 1


def up(stack: Stack) -> int:
    """Start the stack with sample data in it, and show where it is."""
    began = time.monotonic()
    stack.up()
    # Here as in the demo, what needs the product itself is imported when it is wanted.
    if loaded := importlib.import_module("deployments.local.samples").load(stack):
        CONSOLE.print(f"Sample data to try everything on: {', '.join(loaded)}.")
    _show(stack)
    if secret := stack.addresses().prefect_secret:
        CONSOLE.print(f"Prefect UI: {stack.server.url}, which asks a browser once for {secret}")
    CONSOLE.print(f"Ready after {time.monotonic() - began:.1f} s. To join: source {_near(stack)}")
    ui = stack.environment()["PREFECT_API_URL"].removesuffix("/api")
    CONSOLE.print(f"Open {ui} in a browser, and try: make gemini_passage_pilot")
    return 0


def down(stack: Stack) -> int:
    """Stop the stack."""
    names = ", ".join(stack.down())
    CONSOLE.print(f"Stopped: {names}. Data stays in .local/." if names else "Nothing was running.")
    return 0


def status(stack: Stack) -> int:
    """Show the stack; fail unless all of it runs."""
    _show(stack)
    return 0 if all(line.pid for line in stack.status()) else 1


def logs(stack: Stack) -> int:
    """Show the end of each part's log."""
    for line in stack.status():
        CONSOLE.rule(f"{line.name}: {stack.log(line.name)}", align="left")
        CONSOLE.print(tail(stack.log(line.name), LOG_LINES), markup=False)
    return 0


def demo(stack: Stack) -> int:
    """Run the main job end to end, on a stack that it brings up."""
    return int(importlib.import_module("deployments.local.demo").Demo(stack, CONSOLE).run())


COMMANDS = {"up": up, "down": down, "status": status, "logs": logs, "demo": demo}


def _near(stack: Stack) -> Path:
    env = stack.home / "env"
    return env.relative_to(Path.cwd()) if env.is_relative_to(Path.cwd()) else env


def _show(stack: Stack) -> None:
    table = Table("part", "process", "address", box=None, pad_edge=False)
    for line in stack.status():
        table.add_row(line.name, str(line.pid or "stopped"), line.address)
    CONSOLE.print(table)


if __name__ == "__main__":
    sys.exit(main())
