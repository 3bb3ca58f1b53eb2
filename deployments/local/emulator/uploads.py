"""The resumable upload: start, chunks, finalize; every byte goes to disk as it comes."""

import asyncio
import hashlib
import re
import secrets
import string
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from deployments.local.emulator import faults
from deployments.local.emulator.files import resource
from deployments.local.emulator.http import Dropped, body_of
from deployments.local.emulator.replies import ApiError, answer
from deployments.local.emulator.service import Service
from deployments.local.emulator.spelling import get
from deployments.local.emulator.store import Row

ALPHABET = string.ascii_lowercase + string.digits
FILE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
MOST_BYTES = 2_147_483_648
FILE_SECONDS = 48 * 3600
GRANULARITY = {"X-Goog-Upload-Chunk-Granularity": "262144"}


def new_id(length: int) -> str:
    """Return a random id of lower-case letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


async def serve(service: Service, request: Request) -> Response:
    """Answer the start of an upload."""
    if request.headers.get("x-goog-upload-command") != "start":
        raise ApiError(400, "An upload begins with X-Goog-Upload-Command: start.")
    body = get(await body_of(request), "file") or {}
    size = int(
        request.headers.get("x-goog-upload-header-content-length") or get(body, "sizeBytes") or 0
    )
    _room(service, request.state.project, size)
    upload_id = new_id(40)
    mime_type = get(body, "mimeType") or request.headers.get("x-goog-upload-header-content-type")
    service.store.run(
        "add_upload",
        id=upload_id,
        project=request.state.project,
        file_id=_file_id(service, str(body.get("name") or "")),
        display_name=get(body, "displayName") or "",
        mime_type=mime_type or "application/octet-stream",
        bytes=size,
    )
    await service.announce("upload_started", upload=upload_id, size=size)
    query = f"?upload_id={upload_id}&upload_protocol=resumable"
    url = (
        f"{str(request.base_url).rstrip('/')}/upload/{request.path_params['version']}/files{query}"
    )
    headers = {
        "X-Goog-Upload-URL": url,
        "X-Goog-Upload-Control-URL": url,
        "X-Goog-Upload-Status": "active",
        "X-GUploader-UploadID": upload_id,
        **GRANULARITY,
    }
    return Response(headers=headers, media_type="text/plain")


def _room(service: Service, project: str, size: int) -> None:
    store = service.store
    if size > MOST_BYTES:
        raise ApiError(400, f"The file is larger than the limit of {MOST_BYTES} bytes.")
    rows = store.one("stored_bytes", project=project, now_time=store.now())
    outputs = store.one("output_bytes", project=project)
    held = sum(int(row["total"]) for row in (rows, outputs) if row is not None)
    if held + size > int(store.setting("storage_bytes")):
        raise ApiError(
            429, "You exceeded your current quota for file_storage_bytes. Please delete files."
        )


def _file_id(service: Service, name: str) -> str:
    wanted = name.removeprefix("files/")
    if not wanted:
        return new_id(12)
    if not FILE_ID.fullmatch(wanted):
        raise ApiError(
            400, "File ids are at most 40 lower-case letters, digits or dashes, no dash at an end."
        )
    if service.store.one("file_id_taken", id=wanted, now_time=service.store.now()):
        raise ApiError(409, f"The file files/{wanted} already exists.")
    return wanted


async def chunk(service: Service, request: Request) -> Response:
    """Answer one chunk: append it, and finalize if it says so."""
    upload = service.store.one("upload", id=request.query_params["upload_id"])
    if upload is None:
        raise ApiError(404, "The upload is unknown or was finalized.")
    command = request.headers.get("x-goog-upload-command", "")
    if command == "query":
        return _active(upload["received"])
    offset = int(request.headers.get("x-goog-upload-offset") or 0)
    if offset != upload["received"]:
        raise ApiError(400, f"The upload stands at {upload['received']}, not at {offset}.")
    received = await _receive(service, request, upload)
    if received is None:
        return Dropped()
    if "finalize" not in command:
        service.store.run("receive", id=upload["id"], received=received)
        return _active(received)
    if received != upload["size"]:
        raise ApiError(400, f"Announced were {upload['size']} bytes, {received} came.")
    return await _finalize(service, upload)


def _active(received: int) -> Response:
    headers = {
        "X-Goog-Upload-Status": "active",
        "X-Goog-Upload-Size-Received": str(received),
        **GRANULARITY,
    }
    return Response(headers=headers)


async def _receive(service: Service, request: Request, upload: Row) -> int | None:
    struck = faults.take(service.store, "upload", display_name=upload["display_name"])
    length = int(request.headers.get("content-length") or 0)
    stop = int(length * struck[0].params["fraction"]) if struck else None
    path = service.store.path("uploads", upload["id"])
    with path.open("r+b" if path.exists() else "w+b") as file:
        # What a dropped or killed chunk left behind its offset goes.
        file.truncate(upload["received"])
        file.seek(upload["received"])
        async for part in request.stream():
            file.write(part)
            if stop is not None and file.tell() - upload["received"] >= stop:
                return None
        return file.tell()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _finalize(service: Service, upload: Row) -> Response:
    store = service.store
    path = store.path("uploads", upload["id"])
    digest = await asyncio.to_thread(_digest, path)
    path.replace(store.path("files", upload["file_id"]))
    now = store.now()
    with store.transaction():
        store.run("forget_expired", now_time=now)
        store.run(
            "add_file",
            id=upload["file_id"],
            project=upload["project"],
            display_name=upload["display_name"],
            mime_type=upload["mime_type"],
            bytes=upload["size"],
            sha256=digest,
            created=now,
            expires=now + FILE_SECONDS,
        )
        store.run("drop_upload", id=upload["id"])
        service.note("upload_finished", file=upload["file_id"], size=upload["size"])
    await service.hold("upload_finished", file=upload["file_id"])
    row = store.one("file", id=upload["file_id"], project=upload["project"], now_time=now)
    assert row is not None  # noqa: S101 - committed above
    return answer({"file": resource(row)}, headers={"X-Goog-Upload-Status": "final"})
