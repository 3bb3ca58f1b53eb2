"""Files: get, list, delete, and the download of a job's output."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive

from deployments.local.emulator import faults, jobs
from deployments.local.emulator.http import hang_up, page, page_of
from deployments.local.emulator.replies import ApiError, answer, no_entity, no_file
from deployments.local.emulator.runner import output_path
from deployments.local.emulator.service import Service
from deployments.local.emulator.store import Row

Json = dict[str, Any]
LONGEST_ID = 40
CHUNK = 1024 * 1024


def resource(row: Row) -> Json:
    """Return a File resource."""
    hex_digest = row["sha256"].encode()
    return {
        "name": f"files/{row['id']}",
        **({"displayName": row["display_name"]} if row["display_name"] else {}),
        "mimeType": row["mime_type"],
        "sizeBytes": str(row["size"]),
        "createTime": jobs.stamp(row["created"]),
        "updateTime": jobs.stamp(row["created"]),
        "expirationTime": jobs.stamp(row["expires"]),
        # The service encodes the hexadecimal digest, not the digest.
        "sha256Hash": base64.b64encode(hex_digest).decode(),
        "uri": f"https://generativelanguage.googleapis.com/v1beta/files/{row['id']}",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }


def find(service: Service, project: str, file_id: str) -> Row:
    """Return a file that is there, not expired, and of this project."""
    row = service.store.one("file", id=file_id, project=project, now_time=service.store.now())
    if row is None:
        raise no_file(file_id)
    return row


def find_output(service: Service, project: str, file_id: str) -> tuple[Row, Path]:
    """Return the job and the path of an output file `batch-<id>`."""
    job = service.store.one("job", id=file_id.removeprefix("batch-"), project=project)
    now, days = service.store.now(), float(service.store.setting("output_days"))
    if job is None or not job["file_id"] or not jobs.keeps_output(job, now, days):
        raise no_entity()
    path = output_path(service, job["id"])
    if not path.exists():
        raise no_entity()
    return job, path


async def get(service: Service, request: Request) -> Response:
    """Answer files.get."""
    file_id, project = request.path_params["file"], request.state.project
    if file_id.startswith("batch-"):
        job, path = find_output(service, project, file_id)
        return answer(_generated(job, file_id, path.stat().st_size))
    return answer(resource(find(service, project, file_id)))


def _generated(job: Row, file_id: str, size: int) -> Json:
    base = "https://generativelanguage.googleapis.com/v1beta/files"
    return {
        "name": f"files/{file_id}",
        "mimeType": "application/jsonl",
        "sizeBytes": str(size),
        "createTime": jobs.stamp(job["ended"]),
        "updateTime": jobs.stamp(job["ended"]),
        "uri": f"{base}/{file_id}",
        "downloadUri": f"{base}/{file_id}:download?alt=media",
        "state": "ACTIVE",
        "source": "GENERATED",
    }


async def list_(service: Service, request: Request) -> Response:
    """Answer files.list: uploaded files, newest first, never outputs."""
    size, upto = page_of(request, 10, 100)
    rows = service.store.all(
        "list_files",
        project=request.state.project,
        now_time=service.store.now(),
        upto=upto,
        page_size=size + 1,
    )
    return page("files", [resource(row) for row in rows], [row["seq"] for row in rows], size)


async def delete(service: Service, request: Request) -> Response:
    """Answer files.delete; an output's name is too long to be a file id."""
    file_id = request.path_params["file"]
    if len(file_id) > LONGEST_ID:
        raise ApiError(400, f"Invalid file id {file_id}: at most {LONGEST_ID} characters.")
    find(service, request.state.project, file_id)
    service.store.run("delete_file", id=file_id, project=request.state.project)
    service.store.path("files", file_id).unlink(missing_ok=True)
    return answer({})


async def download(service: Service, request: Request) -> Response:
    """Answer the download of an output, streamed from disk."""
    file_id = request.path_params["file"]
    if not file_id.startswith("batch-"):
        find(service, request.state.project, file_id)
        raise ApiError(400, "Only generated files can be downloaded.")
    job, path = find_output(service, request.state.project, file_id)
    struck = faults.take(
        service.store, "download", batch=job["id"], display_name=job["display_name"]
    )
    params = struck[0].params if struck else None
    await service.announce("download_started", batch=job["id"])
    size = path.stat().st_size
    if params:
        params["stop"] = int(size * params["fraction"])
    return StreamingResponse(
        _stream(service, path, job["id"], params, request.receive),
        headers={"Content-Length": str(size)},
        media_type="application/octet-stream",
    )


async def _stream(
    service: Service, path: Path, batch: str, params: Json | None, receive: Receive
) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        if params:
            for part in _parts(params["stop"]):
                yield file.read(part)
            await asyncio.sleep(float(params.get("seconds", 0)))
            if "seconds" not in params:
                hang_up(receive)
                return
        while chunk := file.read(CHUNK):
            yield chunk
    await service.announce("download_finished", batch=batch)


def _parts(total: int) -> list[int]:
    return [CHUNK] * (total // CHUNK) + ([total % CHUNK] if total % CHUNK else [])
