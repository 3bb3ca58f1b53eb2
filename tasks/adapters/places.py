"""Places for what may go on at the same time in one process, however many slices are at work."""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary


class Places:
    """So many places, counted when an event loop first asks; each loop has its own."""

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
