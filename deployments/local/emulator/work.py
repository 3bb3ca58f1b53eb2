"""The heavy part, in another process: checking input files and writing output files.

A step answers some lines, appends them to the output and commits how far it came. Killed at any
moment, the next step starts from the last commit and cuts off what was written beyond it.
"""

import os
import random
import signal
import threading
from array import array
from functools import cache
from multiprocessing import parent_process
from pathlib import Path

import orjson

from deployments.local.emulator import faults, lines
from deployments.local.emulator.linework import LineWork, Outcome
from deployments.local.emulator.store import Store

STEP_LINES = 500
STEP_BYTES = 32 * 1024 * 1024


def start_worker() -> None:
    """Make this process die with the emulator and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@cache
def _store(directory: str) -> Store:
    return Store(Path(directory))


def check(path: str, kind: str, rejected: tuple[str, ...]) -> lines.Verdict:
    """Return the verdict on an input file."""
    return lines.check_file(Path(path), kind, rejected)


def step(directory: str, job_id: str) -> bool:
    """Answer some more lines of a job and return whether all are answered."""
    store = _store(directory)
    job = store.one("any_job", id=job_id)
    if job is None or job["drained"] or not store.path("inputs", job_id).exists():
        return True  # a reset came in between
    found = list(lines.read(store.path("inputs", job_id), job["input_at"], STEP_LINES, STEP_BYTES))
    work = LineWork(store, dict(job))
    outcome = work.answer(found)
    output_at = _append(store.path("outputs", f"{job_id}.part"), job["output_at"], outcome.lines)
    _commit(store, dict(job), outcome, output_at)
    faults.record(store, work.faults)
    return not found


def _append(path: Path, at: int, written: list[bytes]) -> int:
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(at)
        file.seek(at)
        file.writelines(written)
        return file.tell()


def _commit(store: Store, job: dict[str, int], outcome: Outcome, output_at: int) -> None:
    with store.transaction():
        moved = store.run(
            "progress",
            id=job["id"],
            from_at=job["input_at"],
            input_at=job["input_at"] + outcome.read_bytes,
            output_at=output_at,
            drained=int(not outcome.asks),
            **outcome.totals(),
        )
        if moved:
            store.many("add_ask", outcome.asks)
            if queries := outcome.usage.searches:
                store.run("add_searches", job=job["seq"], model=job["model"], queries=queries)


def finish(directory: str, job_id: str) -> None:
    """Put the finished output in its place, shuffled as a whole if that was asked for."""
    store = _store(directory)
    job = store.one("any_job", id=job_id)
    part = store.path("outputs", f"{job_id}.part")
    if job is None or not part.exists():
        return
    if orjson.loads(job["fate"]).get("shuffled"):
        part = _shuffled(part, job_id)
    part.replace(store.path("outputs", f"{job_id}.jsonl"))


def _shuffled(part: Path, seed: str) -> Path:
    starts = array("Q", [0])
    target = part.with_suffix(".shuffled")
    with part.open("rb") as source, target.open("wb") as sink:
        for line in source:
            starts.append(starts[-1] + len(line))
        starts.pop()
        random.Random(seed).shuffle(starts)  # noqa: S311
        for start in starts:
            source.seek(start)
            sink.write(source.readline())
    part.unlink()
    return target
