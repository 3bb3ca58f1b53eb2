"""The emulator as an ASGI application: which path answers what."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from deployments.local.emulator import admin, batches, files, online, runner, uploads
from deployments.local.emulator.http import AnyPrefix, Handler, endpoint
from deployments.local.emulator.http import admin as own
from deployments.local.emulator.replies import ApiError
from deployments.local.emulator.service import Service

API: tuple[tuple[str, str, str, Handler], ...] = (
    ("batches.create", "POST", "/models/{model}:batchGenerateContent", batches.create_generate),
    ("batches.create", "POST", "/models/{model}:asyncBatchEmbedContent", batches.create_embed),
    ("models.generateContent", "POST", "/models/{model}:generateContent", online.generate),
    ("models.embedContent", "POST", "/models/{model}:embedContent", online.embed),
    ("models.batchEmbedContents", "POST", "/models/{model}:batchEmbedContents", online.embed_batch),
    ("models.countTokens", "POST", "/models/{model}:countTokens", online.count_tokens),
    ("models.get", "GET", "/models/{model}", online.get_model),
    ("models.list", "GET", "/models", online.list_models),
    ("files.download", "GET", "/files/{file}:download", files.download),
    ("files.get", "GET", "/files/{file}", files.get),
    ("files.delete", "DELETE", "/files/{file}", files.delete),
    ("files.list", "GET", "/files", files.list_),
    ("batches.cancel", "POST", "/batches/{batch}:cancel", batches.cancel),
    ("batches.get", "GET", "/batches/{batch}", batches.get_),
    ("batches.delete", "DELETE", "/batches/{batch}", batches.delete),
    ("batches.list", "GET", "/batches", batches.list_),
)
ADMIN: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", admin.overview),
    ("GET", "/", admin.overview),
    ("GET", "/settings", admin.get_settings),
    ("POST", "/settings", admin.put_settings),
    ("POST", "/trouble", admin.put_trouble),
    ("GET", "/clock", admin.clock),
    ("POST", "/clock", admin.clock),
    ("GET", "/faults", admin.get_faults),
    ("POST", "/faults", admin.post_faults),
    ("DELETE", "/faults", admin.delete_faults),
    ("POST", "/reset", admin.reset),
    ("GET", "/bill", admin.bill),
    ("GET", "/keys", admin.keys),
    ("GET", "/keys/{key:path}", admin.key),
    ("GET", "/requests/{key:path}", admin.requests),
    ("GET", "/batches/{batch}/create", admin.created),
    ("GET", "/progress", admin.progress),
    ("GET", "/calls", admin.calls),
    ("GET", "/events", admin.events),
)


def _api_routes(version: str) -> list[BaseRoute]:
    plain: list[BaseRoute] = [
        Route(f"/{version}{path}", endpoint(method, handler), methods=[verb])
        for method, verb, path, handler in API
    ]
    download = Route(
        f"/download/{version}/files/{{file}}:download", endpoint("files.download", files.download)
    )
    upload = [
        Route(f"{start}/{version}/files", _upload(version), methods=["POST", "PUT"])
        for start in ("/upload", "/resumable/upload")
    ]
    return [*plain, download, *upload]


def _upload(version: str) -> Callable[[Request], Any]:
    start = endpoint("files.upload", uploads.serve)
    chunk = endpoint("files.chunk", uploads.chunk)

    async def call(request: Request) -> Response:
        request.path_params["version"] = version
        return await (chunk if "upload_id" in request.query_params else start)(request)

    return call


def _say_why(running: asyncio.Task[None]) -> None:
    # A runner that fails is a bug; raising here prints it.
    if not running.cancelled():
        running.result()


async def _unknown(request: Request, error: Exception) -> Response:
    del error
    return ApiError(404, f"There is nothing at {request.url.path}.").response()


def create_app(data_dir: Path) -> Starlette:
    """Return the emulator over a data directory; its state there is taken up again."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service = app.state.service = Service(data_dir)
        running = asyncio.create_task(runner.run(service))
        running.add_done_callback(_say_why)
        yield
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        service.close()

    routes: list[BaseRoute] = [
        Route(f"/_emulator{path}", own(handler), methods=[verb]) for verb, path, handler in ADMIN
    ]
    for version in ("v1", "v1beta"):
        routes += _api_routes(version)
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(AnyPrefix)],
        exception_handlers={404: _unknown, 405: _unknown},
    )
    app.router.redirect_slashes = False  # the service knows no redirects
    return app
