"""A round at one service: ask everything; later collect what the jobs brought, and tidy up."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import orjson
from google.genai import errors

from deployments.conformance import calls, jobs
from deployments.conformance.jobs import JOBS, Job
from deployments.conformance.record import Answer, Observation, Record
from deployments.conformance.service import Json, NoAnswerError, Service
from deployments.conformance.shapes import merged, shape

_GONE = (403, 404)

ENDED, OUTPUT = "ended", "output"
Save = Callable[[Record], None]


def ask(it: Service, save: Save) -> None:
    """Make every call that was not answered yet, and create the jobs."""
    for call in calls.CALLS:
        if call.name not in it.record.observations:
            it.record.see(call.name, call.ask(it))
            save(it.record)
    for job in JOBS:
        _create(it, job)
        save(it.record)
    _cancel(it)
    save(it.record)


def is_asked(record: Record) -> bool:
    """Return whether everything was asked once, answered or not."""
    names = [call.name for call in calls.CALLS] + [created(job) for job in JOBS]
    return all(name in record.observations or name in record.unseen for name in names)


def created(job: Job | str) -> str:
    """Return what the creation of a job is called among the observations."""
    return f"{about(job)}created"


def about(job: Job | str) -> str:
    """Return how everything begins that is observed of a job."""
    return f"job {job if isinstance(job, str) else job.name}: "


def _create(it: Service, job: Job) -> None:
    record = it.record
    if job.name in record.jobs or created(job) in record.observations:
        return
    if name := jobs.find(it, job):
        record.unseen[created(job)] = "the answer was lost"
    else:
        seen, name = jobs.create(it, job)
        record.see(created(job), seen)
    if name:
        record.jobs[job.name] = name


def _cancel(it: Service) -> None:
    call = f"{about(jobs.CANCELLED)}cancelled"
    if (name := it.record.jobs.get(jobs.CANCELLED)) and call not in it.record.observations:
        it.record.see(call, it.observe(lambda: it.sdk.batches.cancel(name=name)))


def open_jobs(it: Service) -> list[str]:
    """Return which jobs have not ended, or have no output yet that is to come."""
    return [name for name, place in it.record.jobs.items() if not _is_settled(it, place)]


def _is_settled(it: Service, place: str) -> bool:
    try:
        operation = it.send("get", place)
    except errors.ClientError as error:
        if error.code not in _GONE:
            raise
        return True  # that it cannot be seen any more is what there is to report
    state = str(operation.get("metadata", {}).get("state"))
    return bool(operation.get("done")) and (
        "SUCCEEDED" not in state or _output(operation) is not None
    )


def collect(it: Service, save: Save) -> None:
    """Observe what became of the jobs, and delete everything that this round made."""
    for name, place in it.record.jobs.items():
        if f"{about(name)}{ENDED}" not in it.record.observations:
            _results(it, name, place)
            save(it.record)
    if troubled := [call for call in it.record.unseen if call.endswith((ENDED, OUTPUT))]:
        raise NoAnswerError(f"No answer to {troubled[0]} yet: run the same command again.")
    _listing(it)
    save(it.record)
    _deletion(it)
    save(it.record)
    sweep(it)
    it.record.finished = True
    save(it.record)


def _results(it: Service, name: str, place: str) -> None:
    replies: list[Json] = []
    seen = it.observe(
        lambda: replies.append(it.send("get", place)), lambda: it.sdk.batches.get(name=place)
    )
    if replies and (file := _output(replies[0])):
        _lines(it, name, file)
    if f"{about(name)}{OUTPUT}" not in it.record.unseen:
        it.record.see(f"{about(name)}{ENDED}", seen)


def _output(operation: Json) -> str | None:
    file = operation.get("metadata", {}).get("output", {}).get("responsesFile")
    return None if file is None else str(file)


def _lines(it: Service, name: str, file: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "output.jsonl"
        seen = it.observe(lambda: it.sdk.files.download(file=file, destination=str(target)))
        raw = target.read_bytes() if target.exists() else b""
    it.record.see(f"{about(name)}{OUTPUT}", seen)
    for line in filter(bytes.strip, raw.split(b"\n")):
        _line(it.record, name, line)


def _line(record: Record, name: str, raw: bytes) -> None:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        line = None
    key = line.get("key") if isinstance(line, dict) else None
    call = f"{about(name)}line {key}"
    found = shape(line)
    if before := record.observations.get(call):
        found = merged(before.answers[0].shape, found)
    record.see(call, Observation(answers=[Answer(call="line", shape=found)]))


def _listing(it: Service) -> None:
    seen = it.observe(lambda: list(it.every("batches", "operations")))
    it.record.see("list of jobs", seen)


def _deletion(it: Service) -> None:
    """Observe what is left of a job and its output after each is deleted."""
    call = f"{about(jobs.FIRST)}deleted"
    place = it.record.jobs.get(jobs.FIRST)
    if place is None or call in it.record.observations:
        return
    output = f"files/batch-{place.removeprefix('batches/')}"
    seen = it.observe(
        lambda: it.sdk.files.get(name=output),
        lambda: it.sdk.files.delete(name=output),
        lambda: it.sdk.batches.delete(name=place),
        lambda: it.send("get", place),
        lambda: it.sdk.files.get(name=output),
        lambda: it.sdk.batches.delete(name=place),
    )
    it.record.see(call, seen)


def sweep(it: Service) -> None:
    """Delete every job and file at the service whose display name is of this round."""
    for operation in list(it.every("batches", "operations")):
        _quietly(partial(it.sdk.batches.delete, name=str(operation["name"])))
    for file in list(it.every("files", "files")):
        _quietly(partial(it.sdk.files.delete, name=str(file["name"])))


def _quietly(delete: Callable[[], object]) -> None:
    try:
        delete()
    except errors.ClientError:
        return  # it is gone already
