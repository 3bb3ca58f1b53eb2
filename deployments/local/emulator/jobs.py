"""Batch jobs as the service shows them, and when they change their state. No I/O."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

Json = dict[str, Any]
Row = Mapping[str, Any]
TYPES = "type.googleapis.com/google.ai.generativelanguage.v1main."
BATCH = {"generate": "GenerateContentBatch", "embed": "EmbedContentBatch"}
STATE = "BATCH_STATE_"
PENDING, RUNNING = f"{STATE}PENDING", f"{STATE}RUNNING"
SUCCEEDED, CANCELLED, EXPIRED = f"{STATE}SUCCEEDED", f"{STATE}CANCELLED", f"{STATE}EXPIRED"
EXPIRY_SECONDS = 48 * 3600
DAY_SECONDS = 24 * 3600
PENDING_SHARE = 0.3  # of the running time


def stamp(seconds: float) -> str:
    """Return a time as the service writes it, with nanoseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def next_state(job: Row, now: float, run_seconds: float, *, room: bool) -> str | None:
    """Return the state a job moves to now, or None if it stays."""
    fate = orjson.loads(job["fate"])
    age = now - job["created"]
    seconds = float(fate.get("run_seconds", run_seconds))
    stuck = fate.get("stuck") == job["state"].removeprefix(STATE) or seconds > EXPIRY_SECONDS
    if stuck:
        return EXPIRED if age > EXPIRY_SECONDS else None
    if job["state"] == PENDING:
        return RUNNING if room and age >= seconds * PENDING_SHARE else None
    if age < seconds:
        return None
    if end := fate.get("end"):
        return str(end)
    final = STATE + fate.get("final", "SUCCEEDED")
    return final if job["drained"] else None


def needs_answers(job: Row) -> bool:
    """Return whether a job's lines are to be answered (one that is doomed is not)."""
    fate = orjson.loads(job["fate"])
    doomed = "end" in fate or fate.get("stuck") == "RUNNING"
    return job["state"] == RUNNING and not job["drained"] and not doomed


def end_error(state: str, fate: Json) -> Json | None:
    """Return the operation's error for a state that ends a job without results."""
    if state == CANCELLED:
        return {"code": fate.get("code", 13), "message": "The operation was cancelled."}
    if state == EXPIRED:
        return {"code": 4, "message": "The batch expired before it was completed."}
    if state == f"{STATE}FAILED":
        return {"code": fate.get("code", 13), "message": fate.get("message", "Internal error.")}
    return None


def ended(job: Row) -> bool:
    """Return whether a job has come to its end."""
    return job["ended"] is not None


def has_output(job: Row, now: float) -> bool:
    """Return whether a job's output can be seen now."""
    if not ended(job) or job["error"] is not None:
        return False
    late = float(orjson.loads(job["fate"]).get("output_after", 0))
    return late <= now - float(job["ended"])


def keeps_output(job: Row, now: float, days: float) -> bool:
    """Return whether a job's output is still there; the job names it for ever."""
    return has_output(job, now) and now - float(job["ended"]) < days * DAY_SECONDS


def operation(job: Row, now: float, inline: list[Json] | None = None) -> Json:
    """Return a job as a long-running operation."""
    kind = BATCH[job["kind"]]
    name = f"batches/{job['id']}"
    metadata: Json = {
        "@type": TYPES + kind,
        "model": f"models/{job['model']}",
        "displayName": job["display_name"],
        **({"inputConfig": {"fileName": f"files/{job['file_id']}"}} if job["file_id"] else {}),
        "createTime": stamp(job["created"]),
        **({"endTime": stamp(job["ended"])} if ended(job) else {}),
        "updateTime": stamp(job["updated"]),
        "batchStats": _stats(job),
        "state": _shown_state(job),
        "name": name,
    }
    body: Json = {"name": name, "metadata": metadata}
    if ended(job):
        body |= _end(job, metadata, now, inline)
    return body


def _shown_state(job: Row) -> str:
    shown = orjson.loads(job["fate"]).get("shown")
    return STATE + shown if shown and not ended(job) else str(job["state"])


def _end(job: Row, metadata: Json, now: float, inline: list[Json] | None) -> Json:
    if job["error"] is not None:
        return {"done": True, "error": orjson.loads(job["error"])}
    if not has_output(job, now):
        return {"done": True}
    output: Json = (
        {"responsesFile": f"files/batch-{job['id']}"}
        if job["file_id"]
        else {"inlinedResponses": {"inlinedResponses": inline or []}}
    )
    metadata["output"] = output
    return {
        "done": True,
        "response": {"@type": f"{TYPES}{BATCH[job['kind']]}Output", **output},
    }


def _stats(job: Row) -> Json:
    counted = ended(job) and job["error"] is None
    counts = {
        "requestCount": job["requests"],
        "pendingRequestCount": 0 if ended(job) else job["requests"],
        "successfulRequestCount": job["answered"] if counted else 0,
        "failedRequestCount": job["failed"] if counted else 0,
    }
    return {name: str(count) for name, count in counts.items() if count}
