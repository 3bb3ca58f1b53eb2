"""The way of a call: prefix, key, counting, faults, errors."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.local.emulator import faults
from deployments.local.emulator.replies import (
    KEY_INVALID,
    ApiError,
    answer,
    batch_quota,
)
from deployments.local.emulator.service import Service

Json = dict[str, Any]
Handler = Callable[[Service, Request], Awaitable[Response]]
START = re.compile(r"/(?:(?:resumable/)?upload/|download/)?v1(?:beta)?/|/_emulator(?:/|$)")
MOST_BODY = 20 * 1000 * 1000


class AnyPrefix:
    """Serves the API under any path prefix, as a gateway would."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Move what stands before the API's path into root_path."""
        found = START.search(scope.get("path", ""))
        if found:
            scope["root_path"] = scope.get("root_path", "") + scope["path"][: found.start()]
        await self.app(scope, receive, send)


class Dropped(Response):
    """A closed connection instead of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Abort the connection below ASGI, which has no word for it."""
        del scope, send
        hang_up(receive)


def hang_up(receive: Receive) -> None:
    """Abort the TCP connection of a request, wherever its answer stands."""
    cycle: Any = getattr(receive, "__self__")  # noqa: B009 - uvicorn's own request cycle
    cycle.transport.abort()
    cycle.disconnected = True


def service_of(request: Request) -> Service:
    """Return the emulator behind a request."""
    service: Service = request.app.state.service
    return service


def key_of(request: Request) -> str:
    """Return a request's API key, or nothing."""
    return request.headers.get("x-goog-api-key") or request.query_params.get("key") or ""


def project_of(request: Request) -> str:
    """Return the project of a request's key; refuse a missing or an invalid one."""
    key = key_of(request)
    if not key:
        raise ApiError(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key or other form of API consumer identity to call this API.",
        )
    if key.startswith("invalid"):
        raise ApiError(400, "API key not valid. Please pass a valid API key.", [KEY_INVALID])
    return "other" if key.startswith("other-project") else "main"


def endpoint(method: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler with the key checked, the call counted, and faults on both sides."""

    async def call(request: Request) -> Response:
        service = service_of(request)
        service.store.run("count_call", call_method=method)
        try:
            # Chunks go to the upload's own address, which is the permission.
            if method != "files.chunk":
                request.state.project = project_of(request)
            return await _around(service, request, method, handler)
        except ApiError as error:
            return error.response()

    return call


async def _around(service: Service, request: Request, method: str, handler: Handler) -> Response:
    context = {"method": method, "path": request.url.path}
    if method == "batches.create":
        context["body"] = (await request.body()).decode(errors="replace")
    for fault in faults.take(service.store, "before", **context):
        if refused := await _strike(fault.params):
            async for _ in request.stream():
                pass  # a refusal before the body has come would break the connection
            return refused
    response = await handler(service, request)
    for fault in faults.take(service.store, "after", **context):
        if refused := await _strike(fault.params):
            return refused
    return response


async def _strike(params: Json) -> Response | None:
    if "seconds" in params:
        await asyncio.sleep(float(params["seconds"]))
    if params.get("drop"):
        return Dropped()
    if params.get("quota"):
        return batch_quota().response()
    if "code" not in params:
        return None
    code = int(params["code"])
    if params.get("html"):
        return HTMLResponse(f"<html><title>Error {code}</title><h1>Bad Gateway</h1></html>", code)
    if params.get("empty"):
        return Response(status_code=code)
    message, status = str(params.get("message", "")), str(params.get("status", ""))
    return ApiError(code, message, params.get("details"), status).response()


async def body_of(request: Request) -> Json:
    """Return a request's JSON body; refuse one that is none, or too large."""
    raw = await request.body()
    if len(raw) > MOST_BODY:
        raise ApiError(400, "Request payload size exceeds the limit: 20971520 bytes.")
    try:
        body = await request.json() if raw else {}
    except ValueError as error:
        raise ApiError(400, f"Invalid JSON payload received. {error}") from None
    if not isinstance(body, dict):
        raise ApiError(400, "Invalid JSON payload received. Unexpected token; expected '{'.")
    return body


def page_of(request: Request, usual: int, most: int) -> tuple[int, int]:
    """Return (page size, sequence number to stay below)."""
    query = request.query_params
    size = int(query.get("pageSize") or query.get("page_size") or usual)
    token = query.get("pageToken") or query.get("page_token")
    try:
        return min(size, most), int(token) if token else 1 << 60
    except ValueError:
        raise ApiError(400, "The page token is invalid.") from None


def page(name: str, items: list[Json], seqs: list[int], size: int) -> Response:
    """Return a list body; the token is there when there may be more."""
    body: Json = {name: items[:size]} if items else {}
    if len(items) > size:
        body["nextPageToken"] = str(seqs[size - 1])
    return answer(body)


def admin(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return an admin handler; a mistake answers 400 with one sentence."""

    async def call(request: Request) -> Response:
        try:
            return await handler(service_of(request), request)
        except (faults.FaultError, ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return call
