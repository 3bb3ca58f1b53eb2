import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from deployments.local.errors import StackError
from deployments.local.part import Part, answers
from deployments.local.processes import Record, marked, spawn, stop, tail, wait

STUBBORN = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(['sleep', '600'], start_new_session=True)
open('child', 'w').write(str(child.pid))
open('ready', 'w').close()
time.sleep(600)
"""


@dataclass(frozen=True)
class Script(Part):
    text: str

    name: ClassVar[str] = "script"

    def command(self) -> list[str]:
        return [sys.executable, "-c", self.text]

    def ready(self, since: float) -> bool:  # noqa: ARG002 (the protocol's)
        return (self.home / "ready").exists()


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[Record]:
    part = Script(tmp_path, STUBBORN)
    record = spawn(part, tmp_path / "log", tmp_path, dict(os.environ))
    wait(part, record, tmp_path / "log", deadline=10)
    yield record
    stop(marked(tmp_path), signal.SIGKILL, 5)


def test_a_process_that_does_not_stop_when_asked_is_killed(stubborn: Record) -> None:
    process = stubborn.process()
    assert process

    stop([process], signal.SIGTERM, patience=0.2)

    assert stubborn.process() is None


def test_what_a_killed_process_started_is_still_found(stubborn: Record, tmp_path: Path) -> None:
    os.kill(stubborn.pid, signal.SIGKILL)

    found = [process.pid for process in marked(tmp_path) if process.pid != stubborn.pid]

    assert found == [int((tmp_path / "child").read_text())]


def test_a_process_id_that_was_given_to_another_process_is_not_ours() -> None:
    other = psutil.Process(os.getpid())

    record = Record(other.pid, other.create_time() - 3600)

    assert record.process() is None


def test_a_process_that_ended_unawaited_does_not_count_as_alive() -> None:
    child = subprocess.Popen(["true"])
    record = Record(child.pid, psutil.Process(child.pid).create_time())
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass

    alive = record.process()
    child.wait()

    assert alive is None


def test_a_part_that_ends_while_starting_shows_the_end_of_its_log(tmp_path: Path) -> None:
    part = Script(tmp_path, "raise SystemExit('no disk left')")
    record = spawn(part, tmp_path / "log", tmp_path, dict(os.environ))

    with pytest.raises(StackError, match=r"`script` ended while starting.*\n.*no disk left"):
        wait(part, record, tmp_path / "log", deadline=10)


def test_a_part_that_never_answers_is_given_up(tmp_path: Path) -> None:
    part = Script(tmp_path, "import time; time.sleep(600)")
    record = spawn(part, tmp_path / "log", tmp_path, dict(os.environ))

    with pytest.raises(StackError, match="did not answer within 0 seconds"):
        wait(part, record, tmp_path / "log", deadline=0.3)

    stop(marked(tmp_path), signal.SIGKILL, 5)


def test_only_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(str(n) for n in range(100)))

    shown = tail(log, 2)

    assert shown == "98\n99"
    assert tail(tmp_path / "none") == "(no log)"


def test_an_address_that_nobody_serves_does_not_answer() -> None:
    assert not answers("http://127.0.0.1:9/")
