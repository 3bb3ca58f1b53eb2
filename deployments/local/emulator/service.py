"""What every endpoint shares: the store, announcements, and the workers."""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import orjson

from deployments.local.emulator import faults, work
from deployments.local.emulator.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class Service:
    """The emulator's inside, shared by its endpoints and its runner."""

    def __init__(self, directory: Path) -> None:
        self.store = Store(directory)
        self.workers = 2
        self.wake = asyncio.Event()
        self.news = asyncio.Condition()
        # Separate processes, so that polls are answered while lines are; spawned, because
        # forking a process with threads is not safe.
        self.pool = ProcessPoolExecutor(
            self.workers, multiprocessing.get_context("spawn"), initializer=work.start_worker
        )

    async def labour(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns in a worker process."""
        del kwargs
        return await asyncio.get_running_loop().run_in_executor(self.pool, call, *args)

    def note(self, kind: str, **detail: object) -> None:
        """Record an event; it is durable at once, or with the transaction around it."""
        self.store.run(
            "add_event", at_time=time.time(), kind=kind, detail=orjson.dumps(detail).decode()
        )

    async def spread(self) -> None:
        """Wake whoever waits for events."""
        async with self.news:
            self.news.notify_all()

    async def announce(self, kind: str, **detail: object) -> None:
        """Record an event, wake who waits for it, and hold if a fault says so."""
        self.note(kind, **detail)
        await self.hold(kind, **detail)

    async def hold(self, kind: str, **detail: object) -> None:
        """Wake who waits for events, then pause if a fault says so."""
        await self.spread()
        context = {name: str(value) for name, value in detail.items()} | {"event": kind}
        for fault in faults.take(self.store, "event", **context):
            await asyncio.sleep(float(fault.params["seconds"]))

    async def events(self, seen: int, wait_seconds: float) -> list[dict[str, Any]]:
        """Return the events after a number, waiting for the first one if need be."""
        deadline = time.monotonic() + wait_seconds
        while not (rows := self.store.all("events", seen=seen, page_size=1000)):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            async with self.news:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), left)
        return [
            {"seq": row["seq"], "time": row["time"], "kind": row["kind"]}
            | orjson.loads(row["detail"])
            for row in rows
        ]

    def close(self) -> None:
        """Stop the workers and close the store."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.store.close()
