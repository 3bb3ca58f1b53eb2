"""Processes for work that keeps a core busy, so that a flow's own process stays free to poll."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from tasks.core.errors import BackfillError

P = ParamSpec("P")
R = TypeVar("R")

WORKERS = os.cpu_count() or 1


class Places:
    """Places for what may go on at once in one process, however many slices are at work.

    So many, counted when an event loop first asks; each loop has its own.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    def place(self) -> asyncio.Semaphore:
        """Return what to hold during the work: `async with places.place()`."""
        loop = asyncio.get_running_loop()
        if loop not in self._of_loop:
            self._of_loop[loop] = asyncio.Semaphore(self._count())
        return self._of_loop[loop]


class WorkerDiedError(BackfillError):
    """A process died in the middle of its work, which can be done again."""


class Processes:
    """A pool of processes, started when first needed, and as many places to hold work for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._places = Places(lambda: WORKERS)

    def place(self) -> asyncio.Semaphore:
        """Return this event loop's places: hold one from before the work's data is here."""
        return self._places.place()

    async def run(self, function: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
        """Return what the function returns in a process; raise WorkerDiedError if that dies."""
        pool = self._started(function.__module__)
        try:
            return await asyncio.wrap_future(pool.submit(function, *args, **named))
        except BrokenProcessPool as error:
            self._drop(pool)
            said = "A process died at its work; nothing of it was kept: run again."
            raise WorkerDiedError(said) from error

    def close(self) -> None:
        """End the processes; the next work starts new ones."""
        with self._guard:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _started(self, module: str) -> ProcessPoolExecutor:
        with self._guard:
            if self._pool is None:
                # Forked from a server that has the module and no threads: a copy of the flow's own
                # process would keep its threads' locks for ever.
                server = multiprocessing.get_context("forkserver")
                server.set_forkserver_preload([module])
                here = dict(os.environ)  # the server's is as old as itself
                self._pool = ProcessPoolExecutor(WORKERS, server, _begin, (here,))
            return self._pool

    def _drop(self, broken: ProcessPoolExecutor) -> None:
        with self._guard:
            if self._pool is broken:
                self._pool = None
        broken.shutdown(wait=False)


def _begin(environment: Mapping[str, str]) -> None:
    """Take over the environment, leave Ctrl-C to the flow's process, and end when that ends."""
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


processes = Processes()
