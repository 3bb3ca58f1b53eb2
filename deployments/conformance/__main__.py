"""`python -m deployments.conformance start|collect`: hold the emulator against the real service."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import httpx
import httpx2
from google.genai import errors

from deployments.conformance import costs, report, rounds
from deployments.conformance.record import Record, load
from deployments.conformance.service import Service
from deployments.local.emulator.serve import running
from tasks import backfills
from tasks.adapters.settings import Settings
from tasks.core.backfill import DEFAULT_MODEL
from tasks.core.errors import BackfillError, SettingsError

PLACE = Path(".local/conformance")
SERVICE, EMULATOR, DIFFERENCES = "service.json", "emulator.json", "differences.txt"
EMULATOR_KEY = "a-key"
RUN_SECONDS, PATIENCE_SECONDS = 3.0, 120.0


def main(arguments: list[str] | None = None) -> int:
    """Do one step; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.conformance", description=__doc__)
    parser.add_argument("step", choices=("start", "collect"))
    parser.add_argument("--place", default="", help=f"where the record is kept ({PLACE})")
    parser.add_argument("--url", default="", help="the service's address, if not Google's own")
    parser.add_argument("--model", default="", help=f"which model is asked ({DEFAULT_MODEL})")
    parser.add_argument("--yes", default="", help="1: spend without being asked")
    given = parser.parse_args(arguments)
    place = Path(given.place or PLACE)
    try:
        if given.step == "start":
            url = given.url or Settings().gemini_url
            return start(place, url, given.model or DEFAULT_MODEL, agreed=given.yes == "1")
        return collect(place)
    except BackfillError as error:
        print(error, file=sys.stderr)
    except (errors.APIError, httpx2.HTTPError) as error:
        # Its message may repeat what was sent.
        said = getattr(error, "code", None) or type(error).__name__
        print(f"The service did not do it ({said}): run the same command again.", file=sys.stderr)
    return 1


def start(place: Path, url: str | None, model: str, *, agreed: bool) -> int:
    """Say what it costs; once that is agreed to, ask everything that was not answered yet."""
    key = _key()
    record = _begun(place, url, model)
    found = costs.costs(record.model, record.embedding_model)
    print("\n".join(costs.lines(found, record.url or "the Gemini API", record.model)))
    if not (agreed or _agrees()):
        return 1
    service = Service(key, record)
    rounds.ask(service, lambda record: record.save(place / SERVICE))
    for call, why in record.unseen.items():
        print(f"Not seen: {call} ({why}). To ask it again later, run the same command.")
    print(f"{len(record.jobs)} batch jobs are under way: make conformance-collect, within a day.")
    return 0


def collect(place: Path) -> int:
    """Compare, once all jobs have ended; else say which are open."""
    record = load(place / SERVICE)
    if record is None or not rounds.is_asked(record):
        raise SettingsError(f"Not everything in {place} was asked: make conformance-start first.")
    if not record.finished:
        service = Service(_key(), record)
        if waiting := rounds.open_jobs(service):
            names = ", ".join(waiting)
            print(f"These jobs have not ended: {names}. Come back later.", file=sys.stderr)
            return 2
        rounds.collect(service, lambda record: record.save(place / SERVICE))
    said = report.text(record, report.compare(record, _emulated(record, place)))
    (place / DIFFERENCES).write_text(said, encoding="utf-8")
    print(f"{said}\nThe same, to send: {place / DIFFERENCES}")
    return 0


def _key() -> str:
    key = Settings().gemini_api_key
    if key is None:
        raise SettingsError("No Gemini API key is set: export GEMINI_API_KEY=...")
    return key.get_secret_value()


def _begun(place: Path, url: str | None, model: str) -> Record:
    """Return the round to go on with, or a new one."""
    record = load(place / SERVICE)
    if record is None:
        return Record(url=url, model=model, embedding_model=_embedding_model())
    if record.finished:
        raise SettingsError(f"{place} holds a finished round: take it away, or set PLACE.")
    if (record.url, record.model) != (url, model):
        raise SettingsError(
            f"{place} holds a round with {record.model} at {record.url or 'the Gemini API'}:"
            " finish it, or set PLACE."
        )
    return record


def _embedding_model() -> str:
    declared = (backfill.embedding for backfill in backfills.declared().values())
    return next(embedding.model for embedding in declared if embedding)


def _agrees() -> bool:
    if not sys.stdin.isatty():
        print("Nothing was asked: there is no terminal to agree on, so set YES=1.", file=sys.stderr)
        return False
    return input("Write yes to spend it: ").strip() == "yes"


def _emulated(service: Record, place: Path) -> Record:
    """Return the same round at an emulator of its own."""
    with tempfile.TemporaryDirectory() as data, running(Path(data), trouble=0.0) as address:
        # Long enough for a job to be cancelled before it ends.
        wanted = {"run_seconds": RUN_SECONDS}
        url = f"{address.base_url}/_emulator/settings"
        httpx.post(url, json=wanted, trust_env=False).raise_for_status()
        record = service.model_copy(
            update={"url": address.base_url, "observations": {}, "unseen": {}, "jobs": {}}
        )
        it = Service(EMULATOR_KEY, record)
        rounds.ask(it, _keep_nothing)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while rounds.open_jobs(it) and time.monotonic() < deadline:
            time.sleep(0.2)
        rounds.collect(it, _keep_nothing)
    record.save(place / EMULATOR)
    return record


def _keep_nothing(record: Record) -> None:
    del record


if __name__ == "__main__":
    sys.exit(main())
