"""The emulator's own endpoints under /_emulator: switches, counts, events, clock."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deployments.local.emulator import faults
from deployments.local.emulator.effects import EFFECTS
from deployments.local.emulator.service import Service
from deployments.local.emulator.store import DEFAULTS

Json = dict[str, Any]
MOST_WAIT_SECONDS = 60.0


async def overview(service: Service, request: Request) -> Response:
    """Return the kinds of fault and the settings."""
    del request
    kinds = {
        name: {"site": kind.site, "about": kind.about, "params": kind.params, "match": kind.match}
        for name, kind in faults.KINDS.items()
    }
    spoiling = sorted(name for name, effect in EFFECTS.items() if effect.spoils)
    body = {"faults": kinds, "spoiling": spoiling, "settings": service.store.settings()}
    return JSONResponse(body)


async def _body(request: Request) -> Json:
    raw = await request.body()
    body = orjson.loads(raw) if raw else {}
    if not isinstance(body, dict):
        raise TypeError("The body is to be a JSON object.")
    return body


async def get_settings(service: Service, request: Request) -> Response:
    """Return every setting."""
    del request
    return JSONResponse(service.store.settings())


async def put_settings(service: Service, request: Request) -> Response:
    """Change the settings that the body names."""
    body = await _body(request)
    unknown = sorted(set(body) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"There is no setting '{unknown[0]}'; there are {', '.join(DEFAULTS)}.")
    for name, value in body.items():
        service.store.put_setting(name, value)
    service.wake.set()
    return JSONResponse(service.store.settings())


async def put_trouble(service: Service, request: Request) -> Response:
    """Scale everyday trouble: 1 is what the field saw, 0 is none."""
    share = float((await _body(request))["share"])
    service.store.put_setting("trouble", share)
    return JSONResponse({"share": share})


async def clock(service: Service, request: Request) -> Response:
    """Return the emulator's time, moved ahead if the call is a POST."""
    offset = float(service.store.setting("clock_offset"))
    if request.method == "POST":
        offset += float((await _body(request))["advance_seconds"])
        service.store.put_setting("clock_offset", offset)
        service.wake.set()
    return JSONResponse({"now": service.store.now(), "offset_seconds": offset})


async def get_faults(service: Service, request: Request) -> Response:
    """Return the faults that are switched on, with how often each struck."""
    del request
    rows = [
        {
            "id": row["id"],
            "kind": row["kind"],
            "remaining": row["remaining"],
            "share": row["share"],
            "match": orjson.loads(row["conditions"]),
            "params": orjson.loads(row["params"]),
            "fired": row["fired"],
        }
        for row in service.store.all("faults")
    ]
    return JSONResponse({"faults": rows})


async def post_faults(service: Service, request: Request) -> Response:
    """Switch a fault on and return its number."""
    return JSONResponse({"id": faults.add(service.store, await _body(request))})


async def delete_faults(service: Service, request: Request) -> Response:
    """Switch every fault off."""
    del request
    service.store.run("clear_faults")
    return JSONResponse({})


async def reset(service: Service, request: Request) -> Response:
    """Forget everything: files, jobs, counts, events, faults, settings."""
    del request
    service.store.reset()
    return JSONResponse({})


async def bill(service: Service, request: Request) -> Response:
    """Return what was answered and would be billed, by model."""
    del request
    batch = {row["model"]: _counts(row) for row in service.store.all("job_bill")}
    online = {row["model"]: _counts(row) for row in service.store.all("online_bill")}
    every = [*batch.values(), *online.values()]
    names = ("requests", "input_tokens", "output_tokens", "thought_tokens", "search_queries")
    totals = {name: sum(counts[name] for counts in every) for name in names}
    return JSONResponse({"batch": batch, "online": online, "totals": totals})


def _counts(row: Json) -> Json:
    return {name: count for name, count in row.items() if name != "model"}


async def keys(service: Service, request: Request) -> Response:
    """Return the keys billed at least `min` times, with how often."""
    least = int(request.query_params.get("min", 2))
    rows = service.store.all("billed_keys", min_times=least)
    return JSONResponse({"count": len(rows), "keys": {row["key"]: row["times"] for row in rows}})


async def key(service: Service, request: Request) -> Response:
    """Return what became of one key in every job that asked it."""
    rows = service.store.all("asks_of", ask_key=request.path_params["key"])
    asks = [
        {
            "batch": row["job"],
            "state": row["state"],
            "deleted": bool(row["deleted"]),
            "answered": bool(row["ok"]),
            "billed": bool(row["billed"]),
        }
        for row in rows
    ]
    billed = sum(ask["billed"] for ask in asks)
    return JSONResponse({"key": request.path_params["key"], "billed": billed, "asks": asks})


async def requests(service: Service, request: Request) -> Response:
    """Return the raw request lines seen for a key."""
    found = []
    for row in service.store.all("asks_of", ask_key=request.path_params["key"]):
        store = service.store
        path = store.path("inputs", row["job"]) if row["job"] else store.directory / "online.jsonl"
        with path.open("rb") as file:
            file.seek(row["start"])
            line = orjson.loads(file.read(row["size"]))
        found.append({"batch": row["job"], "request": line["request"]})
    return JSONResponse({"requests": found})


async def progress(service: Service, request: Request) -> Response:
    """Return how far a job's answers have come, which the API itself does not tell."""
    row = service.store.one("any_job", id=request.query_params["batch"])
    if row is None:
        raise ValueError("There is no such batch.")
    names = ("state", "requests", "answered", "failed", "drained", "deleted")
    return JSONResponse({name: row[name] for name in names})


async def created(service: Service, request: Request) -> Response:
    """Return the raw body of the call that created a batch."""
    path = service.store.path("creates", f"{request.path_params['batch']}.json")
    if not path.is_file():
        raise ValueError("There is no such batch.")
    return Response(path.read_bytes(), media_type="application/json")


async def calls(service: Service, request: Request) -> Response:
    """Return how often each method was called."""
    del request
    return JSONResponse({row["method"]: row["times"] for row in service.store.all("calls")})


async def events(service: Service, request: Request) -> Response:
    """Return the events after a number; wait up to `wait_seconds` for the first."""
    query = request.query_params
    wait = min(float(query.get("wait_seconds", 0)), MOST_WAIT_SECONDS)
    return JSONResponse({"events": await service.events(int(query.get("after", 0)), wait)})
