"""Run the emulator as a process of its own, so that it can be killed like one."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 30.0


@dataclass(frozen=True)
class Address:
    """Where a running emulator answers, and its process."""

    base_url: str
    pid: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Kill it with -9 and wait until it is gone."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    """Return a port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: Address) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if address.process.poll() is not None:
            raise RuntimeError("The emulator stopped while starting; its error is above.")
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{address.base_url}/_emulator/clock", timeout=1, trust_env=False)
            return
        time.sleep(0.05)
    raise TimeoutError(f"The emulator did not answer within {START_SECONDS:.0f} s.")


@contextlib.contextmanager
def running(data_dir: Path, port: int = 0, trouble: float | None = None) -> Iterator[Address]:
    """Yield the address of an emulator process, stopped at the end if it still runs."""
    port = port or free_port()
    command = [sys.executable, "-m", "deployments.local.emulator"]
    command += ["--port", str(port), "--data", str(data_dir)]
    command += [] if trouble is None else ["--trouble", str(trouble)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
    address = Address(f"http://127.0.0.1:{port}", process.pid, process)
    try:
        _wait(address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)
