"""What a user would otherwise run: the same 10,000 requests by ours and by peers.

python -m bench.peers prints CPU, memory and what became of every row: undisturbed, with 5 % of the
answers cut off, and after kill -9 while the job is being created and a second run.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bench.database import temporary_database
from bench.table import Row, emit
from bench.world import DEMO, load
from deployments.local.addresses import QUICK
from deployments.local.emulator.serve import running
from tasks.adapters.migrations import apply_migrations

ROWS = 10_000
CUT_SHARE = 0.05
WORDS = ("thread", "exception", "encoding", "socket", "default", "instance", "directory", "bytes")
WITH_WORD = "select count(*) from passages where strpos(passage_text, %s) > 0"
OURS, SCRIPT, CHATLAS = "ours, without Prefect's server", "google-genai script", "chatlas"
PEERS = {
    OURS: ("bench.prefect_share", "--plain", "5000"),
    SCRIPT: ("bench.peer_script",),
    CHATLAS: ("bench.peer_chatlas",),
}
FORGET = (
    "truncate backfill.generations, backfill.slices, backfill.runs, passage_concepts,"
    " kb_migrations, backfill.answer_blocks, backfill.projections, backfill.restores"
    " cascade"
)
SILENT = """
select
    (select count(*) from passages) as asked,
    (select count(*) from passages where not exists (
        select 1 from passage_concepts
        where passage_concepts.passage_id = passages.passage_id
    )) as without_rows,
    (select count(*) from backfill.generations where state in ('bad', 'skipped', 'empty')) as listed
"""


@dataclass(frozen=True, slots=True)
class Used:
    """What one process used and how it ended."""

    code: int
    seconds: float
    cpu: float
    mb: float


class World:
    """A database with passages, an emulator, and peers that are run over them."""

    def __init__(self, database_url: str, emulator_url: str, work: Path) -> None:
        self._url = database_url
        self._work = work
        self._admin = httpx.Client(base_url=f"{emulator_url}/_emulator", timeout=60)
        self._environment = {
            **os.environ,
            **QUICK,
            "BACKFILL_DATABASE_URL": database_url,
            "BACKFILL_GEMINI_URL": emulator_url,
            "GOOGLE_GEMINI_BASE_URL": emulator_url,
            "GEMINI_API_KEY": "bench-key",
            "BACKFILL_WORK_DIR": str(work / "files"),
            "BACKFILL_REPORTS_DIR": str(work / "reports"),
            "PREFECT_HOME": str(work / "prefect"),
        }

    def reset(self, **fault: object) -> None:
        """Forget all answers and files; switch a fault on."""
        with psycopg.connect(self._url) as connection:
            connection.execute(FORGET)
        shutil.rmtree(self._work / "files", ignore_errors=True)
        (self._work / "files").mkdir(parents=True)
        self._admin.post("/reset").raise_for_status()
        self._admin.post("/settings", json={"run_seconds": 0.0, "trouble": 0.0}).raise_for_status()
        if fault:
            self._admin.post("/faults", json=fault).raise_for_status()

    def run(self, peer: str) -> Used:
        """Run a peer to its end."""
        return self._wait(self._start(peer), time.monotonic())

    def run_killed(self, peer: str) -> Used:
        """Kill a peer with -9 once its first job exists but it has not been told; run it again."""
        process = self._start(peer)
        while process.poll() is None and not self._has_created():
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._admin.delete("/faults").raise_for_status()
        return self.run(peer)

    def _has_created(self) -> bool:
        events = self._admin.get("/events").json()["events"]
        return any(event["kind"] == "job_created" for event in events)

    def _start(self, peer: str) -> subprocess.Popen[bytes]:
        log = (self._work / "log").open("ab")
        command = [sys.executable, "-m", *PEERS[peer]]
        return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def _wait(self, process: subprocess.Popen[bytes], began: float) -> Used:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Used(
            process.returncode,
            time.monotonic() - began,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1e3,
        )

    def word(self) -> tuple[str, int]:
        """Return the word that is in about 5 % of the passages, and in how many."""
        found = []
        with psycopg.connect(self._url) as connection:
            for word in WORDS:
                row = connection.execute(WITH_WORD, (word,)).fetchone()
                found.append((word, int(row[0]) if row else 0))
        return min(found, key=lambda each: abs(each[1] - ROWS * CUT_SHARE))

    def lost(self) -> str:
        """Return how many passages have no rows, and how many of these nobody has listed."""
        with psycopg.connect(self._url) as connection:
            _, without, listed = connection.execute(SILENT).fetchone() or (0, 0, 0)
        return f"{max(0, without - listed):,} of {ROWS:,} lost unlisted, {listed:,} listed"

    def paid(self) -> int:
        """Return how many answers were paid."""
        billed: dict[str, Any] = self._admin.get("/bill").json()["totals"]
        return int(billed["requests"])


def main() -> None:
    """Run each peer through the three trials."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        work = Path(name)
        with (
            temporary_database(DEMO["create_tables"]) as url,
            running(work / "emulator", trouble=0.0) as address,
        ):
            apply_migrations(url)
            load(url, ROWS)
            world = World(url, address.base_url, work)
            for peer in installed():
                trial(world, peer)


def installed() -> list[str]:
    """Return the peers that can be run here; say why the others are left out."""
    print("curator: not run. Its Gemini batches go to Vertex alone, and it takes no address.")
    if importlib.util.find_spec("chatlas"):
        return list(PEERS)
    print("chatlas: not run, because it is not installed (pip install -e '.[bench]').")
    return [name for name in PEERS if name != CHATLAS]


def trial(world: World, peer: str) -> None:
    """Print and hand in what a peer does undisturbed, with cut-off answers, and killed."""
    world.reset()
    used = world.run(peer)
    # More than one for each row where an answer could not be used and was asked for again.
    paid = world.paid()
    print(f"{peer}: {used.seconds:.1f} s, {describe(used)}; {paid:,} paid, {world.lost()}")
    # By a word, not by chance: a peer's requests have keys of its own, or none.
    word, times = world.word()
    world.reset(kind="truncated", match={"text": word})
    cut = f"{ended(world.run(peer))}{world.lost()}"
    print(f"  {times:,} answers cut off: {cut}")
    world.reset(kind="create_then_timeout", times=1, seconds=8)
    again = world.run_killed(peer)
    killed = f"{ended(again)}{world.paid() - paid:,} paid twice"
    print(f"  kill -9 while the job is created, run again: {killed}; {world.lost()}")
    emit(
        Row(
            10,
            f"{ROWS:,} requests: {peer}",
            describe(used),
            target=f"{times:,} cut off: {cut}; kill -9: {killed}",
        )
    )


def describe(used: Used) -> str:
    """Return CPU and memory in words."""
    return f"{ended(used)}{used.cpu:.1f} CPU s, {used.mb:.0f} MB"


def ended(used: Used) -> str:
    """Return a word for a process that failed."""
    return f"FAILED with {used.code}, " if used.code else ""


if __name__ == "__main__":
    main()
