"""Batch jobs: create with every line checked, get, list, cancel, delete."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from deployments.local.emulator import faults, files, jobs, models, quota, work
from deployments.local.emulator.access import answering, model_of
from deployments.local.emulator.http import body_of, page, page_of
from deployments.local.emulator.lines import Verdict
from deployments.local.emulator.replies import ApiError, answer, no_entity
from deployments.local.emulator.runner import output_path, settle
from deployments.local.emulator.service import Service
from deployments.local.emulator.spelling import camel, get
from deployments.local.emulator.store import Row
from deployments.local.emulator.uploads import new_id

Json = dict[str, Any]
FIELDS = {"displayName", "inputConfig", "priority", "webhookConfig", "model", "name"}
LONGEST_NAME = 512


async def create_generate(service: Service, request: Request) -> Response:
    """Answer batchGenerateContent."""
    return await _create(service, request, "generate", "batchGenerateContent")


async def create_embed(service: Service, request: Request) -> Response:
    """Answer asyncBatchEmbedContent."""
    return await _create(service, request, "embed", "asyncBatchEmbedContent")


async def _create(service: Service, request: Request, kind: str, method: str) -> Response:
    project = request.state.project
    batch = _batch(await body_of(request))
    model = model_of(service, request, method)
    job_id = new_id(36)
    file_id = _take_input(service, project, batch, job_id)
    source = service.store.path("inputs", job_id)
    try:
        verdict = await _check(service, source, kind, get(batch, "displayName") or "")
        quota.check(service, project, model, verdict)
    except ApiError:
        source.unlink()
        raise
    service.store.path("creates", f"{job_id}.json").write_bytes(await request.body())
    name = get(batch, "displayName") or ""
    row = {
        "id": job_id,
        "project": project,
        "kind": kind,
        "model": model.name,
        "display_name": name,
        "file_id": file_id,
        "requests": verdict.requests,
        "enqueued_tokens": verdict.tokens,
    }
    _commit(service, row, answering(service, model))
    service.wake.set()
    await service.hold("job_created", batch=job_id, display_name=name)
    return answer(jobs.operation(_job(service, project, job_id), service.store.now()))


def _batch(body: Json) -> Json:
    batch = body.get("batch")
    if not isinstance(batch, dict):
        raise ApiError(400, "Invalid JSON payload received. Missing required field: 'batch'.")
    unknown = [name for name in batch if camel(name) not in FIELDS]
    if unknown:
        raise ApiError(
            400,
            f"Invalid JSON payload received. Unknown name \"{unknown[0]}\" at 'batch': "
            "Cannot find field.",
        )
    if len(get(batch, "displayName") or "") > LONGEST_NAME:
        raise ApiError(400, f"The display name is longer than {LONGEST_NAME} characters.")
    return batch


def _take_input(service: Service, project: str, batch: Json, job_id: str) -> str | None:
    config = get(batch, "inputConfig") or {}
    target = service.store.path("inputs", job_id)
    if name := get(config, "fileName"):
        row = files.find(service, project, str(name).removeprefix("files/"))
        # A link, because the file may be deleted as soon as the job is created.
        os.link(service.store.path("files", row["id"]), target)
        return str(row["id"])
    requests = (get(config, "requests") or {}).get("requests")
    if not requests:
        raise ApiError(400, "The batch holds no requests: give a file name or inline requests.")
    _write_inline(target, requests)
    return None


def _write_inline(target: Path, requests: Iterable[Json]) -> None:
    with target.open("wb") as file:
        for item in requests:
            line = {"metadata": item.get("metadata") or {}, "request": item.get("request")}
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


async def _check(service: Service, source: Path, kind: str, display_name: str) -> Verdict:
    rejecting = [
        fault
        for fault in faults.at(service.store, "check")
        if fault.match.get("display_name", "") in display_name
    ]
    texts = tuple(str(fault.match.get("text", "")) for fault in rejecting)
    verdict = await service.labour(work.check, str(source), kind, texts)
    if verdict.errors:
        for fault in rejecting:
            fault.fired = 1
        faults.record(service.store, rejecting)
        raise ApiError(400, verdict.message)
    if not verdict.requests:
        raise ApiError(400, "The input file is empty.")
    return verdict


def _commit(service: Service, row: Json, model: models.Model) -> None:
    fate: Json = {} if model.name == row["model"] else {"answered_by": model.name}
    context = {name: row[name] for name in ("display_name", "model", "kind")}
    for fault in faults.take(service.store, "job", **context):
        fate |= fault.params
    with service.store.transaction():
        created = service.store.now()
        service.store.run("add_job", **row, created=created, fate=orjson.dumps(fate).decode())
        service.note("job_created", batch=row["id"], display_name=row["display_name"])


def _job(service: Service, project: str, job_id: str) -> Row:
    row = service.store.one("job", id=job_id, project=project)
    if row is None:
        raise no_entity()
    return row


def _shown(service: Service, job: Row) -> Json:
    inline = None
    now = service.store.now()
    days = float(service.store.setting("output_days"))
    if not job["file_id"] and jobs.keeps_output(job, now, days):
        lines = output_path(service, job["id"]).read_bytes().splitlines()
        inline = [orjson.loads(line) for line in lines if line]
    return jobs.operation(job, now, inline)


async def get_(service: Service, request: Request) -> Response:
    """Answer batches.get."""
    job = _job(service, request.state.project, request.path_params["batch"])
    await service.announce("poll", batch=job["id"], state=job["state"])
    return answer(_shown(service, _job(service, request.state.project, job["id"])))


async def list_(service: Service, request: Request) -> Response:
    """Answer batches.list: newest first."""
    size, upto = page_of(request, 50, 1000)
    rows = service.store.all(
        "list_jobs",
        project=request.state.project,
        upto=upto,
        now_time=service.store.now(),
        page_size=size + 1,
    )
    shown = [_shown(service, row) for row in rows]
    return page("operations", shown, [row["seq"] for row in rows], size)


async def cancel(service: Service, request: Request) -> Response:
    """Answer batches.cancel; a job that has ended stays as it is."""
    job = _job(service, request.state.project, request.path_params["batch"])
    context = {"batch": job["id"], "display_name": job["display_name"]}
    if not faults.take(service.store, "cancel", **context):
        settle(service, job, jobs.CANCELLED, jobs.end_error(jobs.CANCELLED, {}))
        await service.spread()
    return answer({})


async def delete(service: Service, request: Request) -> Response:
    """Answer batches.delete: the job stops, and its output goes with it."""
    job = _job(service, request.state.project, request.path_params["batch"])
    service.store.run("delete_job", id=job["id"], project=job["project"])
    output_path(service, job["id"]).unlink(missing_ok=True)
    service.store.path("outputs", f"{job['id']}.part").unlink(missing_ok=True)
    await service.announce("job_deleted", batch=job["id"], display_name=job["display_name"])
    return answer({})
