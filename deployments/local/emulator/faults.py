"""The switches: one table of fault kinds, and which of them befall a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import orjson

from deployments.local.emulator.effects import EFFECTS
from deployments.local.emulator.store import Store

Json = dict[str, Any]
CREATE = {"method": "batches.create"}


@dataclass(frozen=True)
class Kind:
    """A kind of fault: where it strikes, what it says of itself, its defaults."""

    site: str  # before, after: a call; upload, download, event, model, new user, quota, ...
    about: str
    params: Json = field(default_factory=dict)
    match: Json = field(default_factory=dict)


def _ends(state: str, **more: object) -> Json:
    return {"end": f"BATCH_STATE_{state}"} | more


KINDS: dict[str, Kind] = {
    "error_429": Kind("before", "a call is refused with 429", {"code": 429}),
    "error_500": Kind("before", "a call is refused with 500", {"code": 500}),
    "error_503": Kind("before", "a call is refused with 503", {"code": 503}),
    "error": Kind("before", "a call: `code`, `message`, `details`, `status`", {"code": 400}),
    "html_error": Kind("before", "a call meets a proxy's HTML page", {"code": 502, "html": True}),
    "slow": Kind("before", "a call waits `seconds` before anything happens", {"seconds": 5}),
    "drop": Kind("before", "the connection closes before anything happens", {"drop": True}),
    "drop_after": Kind(
        "after", "a call is carried out, then the connection closes", {"drop": True}
    ),
    "error_after": Kind("after", "a call is carried out, then answers `code`", {"code": 503}),
    "slow_after": Kind("after", "a call is carried out, its answer waits", {"seconds": 30}),
    "create_then_drop": Kind("after", "job created, connection closed", {"drop": True}, CREATE),
    "create_then_503": Kind("after", "job created, answered 503", {"code": 503}, CREATE),
    "create_then_timeout": Kind("after", "job created, reply held", {"seconds": 30}, CREATE),
    "create_slow": Kind("before", "job created `seconds` late", {"seconds": 5}, CREATE),
    "create_quota": Kind("before", "create answers 429 with Help alone", {"quota": True}, CREATE),
    "upload_503": Kind(
        "before",
        "a chunk answers an empty 503 without the upload header",
        {"code": 503, "empty": True},
        {"method": "files.chunk"},
    ),
    "upload_dropped": Kind("upload", "the connection closes amid a chunk", {"fraction": 0.5}),
    "storage_full": Kind(
        "before",
        "uploads answer 429 naming file_storage_bytes",
        {"code": 429, "message": "Quota exceeded for quota metric 'file_storage_bytes'."},
        {"method": "files.upload"},
    ),
    "truncated_download": Kind("download", "the connection closes midway", {"fraction": 0.5}),
    "slow_download": Kind("download", "`seconds` of pause midway", {"fraction": 0.5, "seconds": 2}),
    "pause": Kind("event", "an event (match.event) holds its call `seconds`", {"seconds": 10}),
    "model_shut_down": Kind("model", "the model is no longer available: 404"),
    "no_new_users": Kind("new user", "the model is closed to keys that are not old: 404"),
    "tier_limit": Kind("quota", "create answers 429 above `tokens` enqueued", {"tokens": 10_000}),
    "line_limit": Kind("quota", "create answers 429 above `lines` requests", {"lines": 1}),
    "cancel_ignored": Kind("cancel", "cancel is accepted, the job ends SUCCEEDED all the same"),
    "rejected_line": Kind("check", "a line that holds match.text is an error at create"),
    "listing_lag": Kind("job", "a new job is listed `listed_after` s late", {"listed_after": 5}),
    "output_late": Kind("job", "SUCCEEDED, output `output_after` s later", {"output_after": 5}),
    "slow_job": Kind("job", "the job takes `run_seconds`", {"run_seconds": 3600}),
    "stuck_pending": Kind("job", "the job stays PENDING until it expires", {"stuck": "PENDING"}),
    "stuck_running": Kind("job", "the job stays RUNNING until it expires", {"stuck": "RUNNING"}),
    "expired": Kind("job", "the job ends EXPIRED", _ends("EXPIRED")),
    "failed": Kind("job", "the job ends FAILED with `code`, `message`", _ends("FAILED", code=13)),
    "cancelled": Kind("job", "somebody else cancels the job", _ends("CANCELLED", code=13)),
    "input_expired": Kind(
        "job",
        "the input file expires while the job waits",
        _ends("FAILED", code=5, message="The input file has expired.", expire_input=True),
    ),
    "partially_succeeded": Kind(
        "job", "the job ends PARTIALLY_SUCCEEDED with an output", {"final": "PARTIALLY_SUCCEEDED"}
    ),
    "unknown_state": Kind("job", "a `shown` state until the end", {"shown": "PAUSED"}),
    "shuffled_lines": Kind("job", "the output's lines come in any order", {"shuffled": True}),
    **{name: Kind("line", e.about, dict(e.params)) for name, e in EFFECTS.items()},
}
EXACT = ("method", "event")


class FaultError(Exception):
    """A fault that cannot be switched on; the message says why."""


def add(store: Store, body: Json) -> int:
    """Switch a fault on and return its number."""
    fields = dict(body)
    name = fields.pop("kind", "")
    if name not in KINDS:
        raise FaultError(f"There is no fault '{name}'. GET /_emulator lists them.")
    kind = KINDS[name]
    params = kind.params | fields.pop("params", {})
    match = kind.match | fields.pop("match", {})
    times, share = fields.pop("times", None), fields.pop("share", 1.0)
    with store.transaction():
        store.run(
            "add_fault",
            kind=name,
            site=kind.site,
            remaining=times,
            odds=share,
            conditions=orjson.dumps(match).decode(),
            params=orjson.dumps(params | fields).decode(),
        )
        return int(store.all("faults")[-1]["id"])


class Fault:
    """A fault that is switched on."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.id: int = row["id"]
        self.kind: str = row["kind"]
        self.remaining: int | None = row["remaining"]
        self.share: float = row["share"]
        self.match: Json = orjson.loads(row["conditions"])
        self.params: Json = orjson.loads(row["params"])
        self.fired = 0

    def strikes(self, context: Mapping[str, str], chance_key: str) -> bool:
        """Return whether it befalls this moment; counts it if so."""
        if self.remaining is not None and self.fired >= self.remaining:
            return False
        if (
            self.share < 1
            and crc32(f"{self.kind}:{chance_key}".encode()) % 100_000 >= self.share * 1e5
        ):
            return False
        if not all(_fits(name, str(want), context) for name, want in self.match.items()):
            return False
        self.fired += 1
        return True


def _fits(name: str, wanted: str, context: Mapping[str, str]) -> bool:
    found = context.get(name, "")
    return found == wanted if name in EXACT else wanted in found


def at(store: Store, site: str) -> list[Fault]:
    """Return the faults switched on for a site."""
    return [Fault(row) for row in store.all("faults_at", site=site)]


def record(store: Store, faults: list[Fault]) -> None:
    """Count down the faults that struck."""
    for fault in faults:
        if fault.fired:
            store.run("fire", id=fault.id, hits=fault.fired)


def take(store: Store, site: str, **context: str) -> list[Fault]:
    """Return the faults that befall this moment, and count them down."""
    found = at(store, site)
    if not found:
        return []
    chance = "|".join((*context.values(), str(found[0].id), str(store.now())))
    struck = [fault for fault in found if fault.strikes(context, chance)]
    record(store, struck)
    return struck
