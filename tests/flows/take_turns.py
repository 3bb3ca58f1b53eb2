"""Ask the model a few times, each when the rate limit lets this process; print when that was."""

import asyncio
import sys
import time

from tasks.adapters import rate_limits
from tasks.adapters.gemini import gemini

MODEL = "gemini-3.1-flash-lite"
BODY = {"contents": [{"role": "user", "parts": [{"text": "Is it my turn?"}]}]}


async def main(times: int) -> None:
    await rate_limits.set_up(MODEL)
    for _ in range(times):
        await rate_limits.turn(MODEL, tokens=10)
        print(time.time(), flush=True)  # noqa: T201 - what the test reads
        await asyncio.to_thread(gemini().generate, MODEL, BODY)


asyncio.run(main(int(sys.argv[1])))
