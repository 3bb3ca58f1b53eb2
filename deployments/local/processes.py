"""Start, find and stop processes by id and birth, so that a reused id is never touched."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from deployments.local import interrupts
from deployments.local.errors import StackError
from deployments.local.part import Part

MARK = "BACKFILL_STACK"
TAIL_LINES = 15
POLL_SECONDS = 0.05
KILL_SECONDS = 5.0
CLOCK_SLACK = 60.0  # seconds: a corrected clock moves every process's birth


@dataclass(frozen=True)
class Record:
    """A process that we started, told apart from a later one of the same id by its birth."""

    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        """Return the process while it lives, else None."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < CLOCK_SLACK
            return process if same and _alive(process) else None
        except psutil.NoSuchProcess:
            return None


def spawn(part: Part, log: Path, mark: Path, environment: dict[str, str]) -> Record:
    """Start `part` in a session of its own, its output appended to `log`.

    A session of its own keeps the terminal's Ctrl-C away from it. `mark` and its name go into
    its environment and so into that of everything it starts.
    """
    part.prepare()
    kill(part.strays())
    account = part.account()
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log.touch(mode=0o600)
    created = time.time()
    with log.open("ab") as output:
        child = subprocess.Popen(
            part.command(),
            env={**environment, **part.environment(), MARK: str(mark / part.name)},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=-1 if account else 0o077,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=part.directory(),
            start_new_session=True,
        )
    return Record(child.pid, created)


def kill(pids: list[int]) -> None:
    """Kill processes at once and wait until they are gone."""
    stop(
        [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)],
        signal.SIGKILL,
        KILL_SECONDS,
    )


def stop(processes: list[psutil.Process], how: signal.Signals, patience: float) -> None:
    """Ask processes to end; kill those that have not after `patience` seconds."""
    for process in processes:
        _signal(process, how)
    alive = _alive_after(processes, patience)
    for process in alive:
        _signal(process, signal.SIGKILL)
    _alive_after(alive, KILL_SECONDS)


def _alive_after(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Return early when all have ended; one that nobody has reaped yet has ended too."""
    end = time.monotonic() + seconds
    while (alive := [process for process in processes if _alive(process)]) and (
        time.monotonic() < end
    ):
        time.sleep(POLL_SECONDS)
    return alive


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, how: signal.Signals) -> None:
    try:
        process.send_signal(how)
    except psutil.NoSuchProcess:
        return


def marked(mark: Path, name: str = "") -> list[psutil.Process]:
    """Return every live process of ours, or of one part, whatever became of its parent."""
    return [process for process in psutil.process_iter() if _is_marked(process, str(mark), name)]


def _is_marked(process: psutil.Process, mark: str, name: str) -> bool:
    try:
        found = Path(process.environ().get(MARK, "/"))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return process.pid != os.getpid() and str(found.parent) == mark and name in ("", found.name)


def wait(part: Part, record: Record, log: Path, deadline: float) -> None:
    """Return when `part` answers.

    Raises:
        StackError: when it ends first or `deadline` seconds pass; with the tail of its log.
    """
    end = time.monotonic() + deadline
    while record.process() is not None:
        interrupts.check()
        if part.ready(record.created):
            return
        if time.monotonic() > end:
            raise StackError(_why(part, log, f"did not answer within {deadline:.0f} seconds"))
        time.sleep(POLL_SECONDS)
    raise StackError(_why(part, log, "ended while starting"))


def _why(part: Part, log: Path, what: str) -> str:
    return f"The part `{part.name}` {what}. The end of {log}:\n{tail(log)}"


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, or a word that there are none."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or "(empty)"
