import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn
from emulator_hand import Hand

from deployments.local.emulator.__main__ import is_loopback
from deployments.local.emulator.app import create_app
from deployments.local.emulator.serve import free_port, running

COMMAND = [sys.executable, "-m", "deployments.local.emulator"]


def test_a_host_that_others_can_reach_is_refused_with_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--host", "0.0.0.0", "--data", str(tmp_path)],  # noqa: S104 - refused is the point
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == ("The emulator listens on loopback only; 0.0.0.0 is not loopback.\n")


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_only_loopback_is_loopback(host: str, answer: object) -> None:
    assert is_loopback(host) is answer


def test_a_running_emulator_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path) as address:
        hand = Hand(address)
        hand.upload(b"{}")
        hand.get("no/such/path")

    assert capfd.readouterr() == ("", "")


def test_the_trouble_option_scales_trouble(tmp_path: Path) -> None:
    with running(tmp_path, trouble=2.5) as address:
        assert Hand(address).own("settings")["trouble"] == 2.5


def test_the_app_serves_from_a_thread_too(tmp_path: Path) -> None:
    port = free_port()
    config = uvicorn.Config(create_app(tmp_path), port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)

    answer = httpx.get(f"http://127.0.0.1:{port}/_emulator/clock", trust_env=False)

    server.should_exit = True
    thread.join()
    assert answer.json()["offset_seconds"] == 0
