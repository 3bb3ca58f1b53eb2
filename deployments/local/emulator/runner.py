"""Moves jobs along: PENDING, RUNNING, answered step by step, and their end."""

import asyncio
from pathlib import Path

import orjson

from deployments.local.emulator import faults, jobs, work
from deployments.local.emulator.service import Service
from deployments.local.emulator.store import Row

TICK_SECONDS = 0.05


async def run(service: Service) -> None:
    """Move jobs along for ever; what was unfinished when a process died goes on here."""
    while True:
        if not await tick(service):
            service.wake.clear()
            try:
                await asyncio.wait_for(service.wake.wait(), TICK_SECONDS)
            except TimeoutError:
                continue


async def tick(service: Service) -> bool:
    """Give every active job its turn; return whether any got further."""
    active = service.store.all("active_jobs")
    limit = int(service.store.setting("max_active_jobs"))
    moves = [await _advance(service, job, room=at < limit) for at, job in enumerate(active)]
    return await _answer(service, active) or any(moves)


async def _answer(service: Service, active: list[Row]) -> bool:
    waiting = [job["id"] for job in active if jobs.needs_answers(job)]
    # Faults that count lines are counted in turn.
    width = 1 if faults.at(service.store, "line") else service.workers
    directory = str(service.store.directory)
    for first in range(0, len(waiting), width):
        several = waiting[first : first + width]
        await asyncio.gather(*(service.labour(work.step, directory, one) for one in several))
    return bool(waiting)


async def _advance(service: Service, job: Row, *, room: bool) -> bool:
    if jobs.needs_answers(job):
        return False
    store = service.store
    run_seconds = float(store.setting("run_seconds"))
    state = jobs.next_state(job, store.now(), run_seconds, room=room)
    if state is None:
        return False
    await _move(service, job, state)
    return True


async def _move(service: Service, job: Row, state: str) -> None:
    fate = orjson.loads(job["fate"])
    end = state != jobs.RUNNING
    error = jobs.end_error(state, fate) if end else None
    if end and error is None:
        await service.labour(work.finish, str(service.store.directory), job["id"])
    if settle(service, job, state, error) and fate.get("expire_input"):
        service.store.run("expire_file", id=job["file_id"], now_time=service.store.now())
    await service.spread()


def settle(service: Service, job: Row, state: str, error: dict[str, object] | None) -> bool:
    """Commit a job's new state with its event; return whether it was still open."""
    store = service.store
    now = store.now()
    with store.transaction():
        moved = store.run(
            "move_job",
            id=job["id"],
            new_state=state,
            now_time=now,
            ended=None if state == jobs.RUNNING else now,
            error=orjson.dumps(error).decode() if error else None,
        )
        if moved:
            kind = f"job_{state.removeprefix(jobs.STATE).lower()}"
            service.note(kind, batch=job["id"], display_name=job["display_name"])
    return bool(moved)


def output_path(service: Service, job_id: str) -> Path:
    """Return where a job's finished output lies."""
    return service.store.path("outputs", f"{job_id}.jsonl")
