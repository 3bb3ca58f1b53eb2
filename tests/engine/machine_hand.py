"""A hand for the machine: the user's own moves, the engine's flows, and what came of them."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import earlier_run
import pytest
from engine_hand import NAME, Engine
from machine_moments import Killed, Moments, note_calls, note_transactions

import flows.backfill
import flows.redrive
import flows.restore
import flows.rollback
from tasks import backfills
from tasks.adapters.ledger import slices
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.errors import BackfillError
from tasks.undo import stop

VERSIONS = (BACKFILL.extractor_version, "gemini_batch_v2")
LEDGER = (
    "runs, slices, generations, versions, rollbacks, answer_blocks, questions, filled, forgotten,"
    " projections, readings, rereads, restores, looks, csv_files, csv_rows, csv_answers, csv_shown"
)
OF_ANSWER = ("concept_name", "concept_type", "aliases", "confidence", "evidence")
ENDS = ("succeeded", "failed", "cancelled", "expired")
Key = tuple[str, str]
"""An extractor version, and a target or a text."""


class Seen(NamedTuple):
    """What stands in the tables, and on the emulator's bill."""

    version: str  # the site's
    source: list[tuple[str, str, str]]  # id, text (null is empty), section
    in_scope: list[tuple[str, str]]
    rows: dict[Key, list[dict[str, Any]]]
    claims: dict[str, tuple[str, str | None, str | None]]  # by doc_id: end, reason, slice's state
    projected: dict[Key, str]
    kept: set[str]
    paid: dict[str, int]
    wants: dict[tuple[str, str], set[tuple[str, bool]]]  # by target and content hash
    uneven: list[dict[str, Any]]


class World:
    """One user's table with the engine beside it, and everything that may happen to them."""

    def __init__(self, engine: Engine, moments: Moments, site_file: Path) -> None:
        self.engine, self.moments, self._site_file = engine, moments, site_file
        self.version, self.is_narrow = VERSIONS[0], False
        self.flows = 0
        # Ids may be double and texts may be absent, as in tables without a key.
        self.sql("alter table passages drop constraint passages_pkey")
        self.sql("alter table passages alter column passage_text drop not null")

    def begin_anew(self) -> None:
        """Forget everything: no row, no answer, nothing at the service."""
        named = ", ".join(f"backfill.{each}" for each in LEDGER.split(", "))
        self.sql(f"truncate {named}, passages, passage_concepts, kb_migrations cascade")
        self.allow()
        self.engine.http.post("/reset").raise_for_status()
        self.engine.set(run_seconds=0.0, trouble=0.0)
        self.as_site(VERSIONS[0], is_narrow=False)
        self.engine.asked_lately()
        self.sql(
            "insert into backfill.slices select (jsonb_populate_record(slices, jsonb_build_object("
            "'slice_id', slice_id || '-2', 'job_name', job_name || '-2', 'extractor_version',"
            " %(version)s::text))).* from backfill.slices where backfill = %(name)s",
            version=VERSIONS[1],
            name=NAME,
        )

    def as_site(self, version: str, *, is_narrow: bool) -> None:
        self.version, self.is_narrow = version, is_narrow
        where = "section is distinct from 'out'" if is_narrow else "true"
        self._site_file.write_text(
            f'[{NAME}]\nextractor_version = "{version}"\n[{NAME}.source]\nwhere = "{where}"\n'
        )
        backfills.forget_site()

    def let_jobs_end(self) -> None:
        """Let every job at the service come to its end, and new ones at once."""
        self.engine.set(run_seconds=0.0)
        while True:
            events = self.engine.http.get("/events").json()["events"]
            kinds = Counter(each["kind"].removeprefix("job_") for each in events)
            if kinds["created"] == sum(kinds[each] for each in ENDS):
                return
            time.sleep(0.005)

    def sql(self, statement: str, **values: object) -> list[dict[str, Any]]:
        return self.engine.sql(statement, **values)

    # The user's own moves

    def insert(self, target_id: str, text: str | None, section: str) -> None:
        self.engine.insert(target_id, text)
        self.sql(
            "update passages set section = coalesce(section, %(section)s)"
            " where passage_id = %(id)s",
            id=target_id,
            section=section,
        )

    def refuse(self, word: str) -> None:
        """Let the target's table refuse the rows of texts with a word in them."""
        self.allow()
        self.sql(
            "alter table passage_concepts add constraint no_such_text check"
            f" (coalesce(evidence ->> 'source_text', '') not like '%{word}%') not valid"
        )

    def allow(self) -> None:
        self.sql("alter table passage_concepts drop constraint if exists no_such_text")

    # The engine

    def run(self, moment: int | None = None, how: str = "kill", **options: object) -> Any:
        """Run a backfill, with what may happen to it; None where it did not come to its end."""
        chosen: Any = {"name": NAME, "approve_up_to_usd": 100.0, "without_pilot": True, **options}
        return self._through(lambda: flows.backfill.backfill.fn(**chosen), moment, how)

    def roll_back(self, version: str, moment: int | None, **ticks: bool) -> Any:
        def work() -> Any:
            return flows.rollback.rollback.fn(NAME, version, dry_run=False, step=2, **ticks)

        try:
            return self._through(work, moment)
        finally:  # a canary would go before the next run
            self.sql(
                "update backfill.slices set state = 'done' where starts_with(slice_id, %(mark)s)",
                mark=earlier_run.MARK,
            )

    def restore(self, version: str, moment: int | None) -> Any:
        return self._through(lambda: flows.restore.restore.fn(NAME, version, dry_run=False), moment)

    def redrive(self) -> Any:
        return self._through(lambda: flows.redrive.redrive.fn(NAME, dry_run=False), None)

    def stop(self, *, cancel_jobs: bool) -> Any:
        return self._through(lambda: stop.cancel_in_flight.fn(NAME, really=cancel_jobs), None)

    def _through(
        self, work: Callable[[], Coroutine[Any, Any, Any]], moment: int | None, how: str = "kill"
    ) -> Any:
        """Return what the work came to: its state or its error; None where it was ended."""
        self.flows += 1

        async def watched() -> Any:
            task, loop = asyncio.ensure_future(work()), asyncio.get_running_loop()
            strike = None if how == "kill" else lambda: loop.call_soon_threadsafe(task.cancel)
            with self.moments.at(moment, strike):
                try:
                    return await task
                finally:
                    await loop.shutdown_default_executor()

        try:
            return asyncio.run(watched())
        except (Killed, asyncio.CancelledError):
            # The process of a real run is dead by now, and its leases are followed at once.
            self.engine.sql("truncate backfill.leases")
            return None
        except BackfillError as error:
            return error

    # What came of it

    def look(self) -> Seen:
        with connect() as connection:
            connection.execute("set local timezone to 'UTC'")

            def all_of(statement: str) -> list[Any]:
                return connection.execute(statement).fetchall()  # type: ignore[arg-type]

            rows = defaultdict(list)
            for each in all_of(
                "select to_jsonb(t) as row from passage_concepts t order by t::text"
            ):
                found = each["row"]
                rows[found["extractor_version"], found["passage_id"]].append(found)
            source = [
                (each["id"], each["passage_text"] or "", each["section"])
                for each in all_of(
                    "select passage_id::text as id, * from passages order by 1, ctid"
                )
            ]
            claims = {
                str(each["doc_id"]): (each["state"], each["reason"], each["slice_state"])
                for each in all_of(
                    "select generations.*, slices.state as slice_state from backfill.generations"
                    " left join backfill.slices using (slice_id)"
                )
            }
            projected = {
                (each["extractor_version"], each["target_id"]): str(each["doc_id"])
                for each in all_of("select * from backfill.projections order by projected_at")
            }
            kept = all_of(
                "select question_id from backfill.questions"
                " where is_usable and block_id is not null"
            )
            uneven = all_of(
                "select * from backfill.slices where state in ('done', 'rolled_back') and"
                " request_count <> written + empty + bad + skipped + moved"
            )
            slices.find_remaining(connection, backfills.get(NAME))
            wants = defaultdict(set)
            for each in all_of("select * from remaining"):
                wants[each["target_id"], str(each["content_hash"])].add(
                    (each["wants"], bool(each["is_twin"]))
                )
            connection.rollback()
        return Seen(
            self.version,
            source,
            [each[:2] for each in source if not (self.is_narrow and each[2] == "out")],
            dict(rows),
            claims,
            projected,
            {str(each["question_id"]) for each in kept},
            self.engine.billed(),
            dict(wants),
            uneven,
        )


@contextmanager
def world_of(engine: Engine, patch: pytest.MonkeyPatch, place: Path) -> Iterator[World]:
    """Yield a world over an engine that has just been set up."""
    file = place / "backfills.toml"
    file.write_text("")
    patch.setenv("BACKFILL_SITE_FILE", str(file))
    patch.setenv("BACKFILL_POLL_SECONDS", "0.005")
    settings.cache_clear()
    backfills.forget_site()
    moments = Moments()
    note_transactions(patch, moments)
    note_calls(patch, moments)
    yield World(engine, moments, file)


def as_json(rows: list[dict[str, Any]]) -> str:
    """Return rows as they stand, to the byte."""
    return json.dumps(rows, sort_keys=True)


def by_id(source: Iterable[tuple[str, ...]]) -> dict[str, list[str]]:
    """Return the texts that stand under each id."""
    found: dict[str, list[str]] = defaultdict(list)
    for target_id, text, *_ in source:
        found[target_id].append(text)
    return found


def plain(rows: list[dict[str, Any]]) -> str:
    """Return what an answer became, whoever it is for."""
    return as_json(
        sorted(({name: each[name] for name in OF_ANSWER} for each in rows), key=json.dumps)
    )
