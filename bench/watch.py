"""What a stack's processes use while something runs: CPU seconds and memory of each part."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from deployments.local.processes import marked
from deployments.local.stack import Stack

MB = 1e6
TREES = ("prefect", "postgres", "emulator")


@dataclass
class Usage:
    """What one part used: CPU seconds, and at its peak its largest process, all, and how many."""

    cpu_seconds: float = 0.0
    largest_mb: float = 0.0
    all_mb: float = 0.0
    processes: int = 0


@dataclass
class Watch:
    """Samples a stack's processes once a second, and calls `each_second` with the seconds gone."""

    stack: Stack
    each_second: Callable[[float], None] = lambda _: None
    parts: dict[str, Usage] = field(default_factory=dict)
    _spent: dict[str, dict[int, float]] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator["Watch"]:
        """Sample until the block ends."""
        stop, began = threading.Event(), time.monotonic()
        self._sample()
        before = {name: usage.cpu_seconds for name, usage in self.parts.items()}
        thread = threading.Thread(target=self._run, args=(stop, began), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()
            for name, spent in before.items():
                self.parts[name].cpu_seconds -= spent

    def _run(self, stop: threading.Event, began: float) -> None:
        while not stop.wait(1.0):
            self._sample()
            self.each_second(time.monotonic() - began)

    def _sample(self) -> None:
        for name, processes in self._found().items():
            usage = self.parts.setdefault(name, Usage())
            spent = self._spent.setdefault(name, {})
            if name in TREES:
                spent.clear()  # what has ended is in its parent's account
            sizes = [(0, 0)]
            for place, process in enumerate(processes):
                with contextlib.suppress(psutil.NoSuchProcess):
                    spent[process.pid] = _cpu(process, reaped=name in TREES and place == 0)
                    memory = process.memory_info()
                    sizes.append((memory.rss, memory.shared))
            usage.cpu_seconds = max(usage.cpu_seconds, sum(spent.values()))
            usage.largest_mb = max(usage.largest_mb, max(rss for rss, _ in sizes) / MB)
            own = sum(rss - shared for rss, shared in sizes) + max(shared for _, shared in sizes)
            usage.all_mb = max(usage.all_mb, own / MB)
            usage.processes = max(usage.processes, len(sizes) - 1)

    def _found(self) -> dict[str, list[psutil.Process]]:
        """Return the processes of each part, a tree's root first."""
        worker = self.stack.pid("worker")
        ours = {each.pid: each for each in marked(self.stack.home, "worker")}
        alone = [ours.pop(worker)] if worker in ours else []
        tops = [each for each in ours.values() if _parent(each) not in ours]
        pool = [each for each in ours.values() if _parent(each) in ours]
        trees = {name: _tree(self.stack.pid(name)) for name in TREES}
        return {"flow": tops, "flow's processes": pool, "worker": alone, **trees}


def _cpu(process: psutil.Process, *, reaped: bool) -> float:
    spent = process.cpu_times()
    ended = spent.children_user + spent.children_system if reaped else 0.0
    return float(spent.user + spent.system + ended)


def _tree(pid: int | None) -> list[psutil.Process]:
    if pid is None:
        return []
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0
