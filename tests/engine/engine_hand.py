"""A hand that runs the real flows' code in this process, and looks at what came of it."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, LiteralString
from uuid import UUID, uuid5

import earlier_run
import httpx
import pytest
from prefect.client.schemas.objects import State
from psycopg import sql

from flows.backfill import backfill
from tasks import backfills
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import runs, slices, versions
from tasks.adapters.postgres import Connection, connect, idle, statements
from tasks.adapters.processes import processes
from tasks.adapters.settings import settings
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.models import Slice
from tasks.planning.plan import PlanOptions, make_plan

Json = dict[str, Any]
NAME = BACKFILL.name
VERSION = BACKFILL.extractor_version
UNUSED = ("bad", "skipped")
SPACE = UUID("5f0e4a0e-3a3c-4b0e-9a54-0d6d1f6c9b11")
_DEMO = statements("demo/passages.sql")
_TOPICS = ("gradient descent", "hash tables", "wave optics", "soil chemistry", "choir music")


def sample_text(number: int) -> str:
    """Return a passage with enough to say, different for every number."""
    topic = _TOPICS[number % len(_TOPICS)]
    return (
        f"Chapter {number} deals with {topic}. The method of {topic} was described early, and"
        f" its use in practice took another {number + 3} years. Careful measurement shows where"
        " the simple model holds, where it breaks down, and what a better theory would have to"
        " explain before anybody could rely on it."
    )


def forget_settings() -> None:
    """Let settings and client be read anew."""
    settings.cache_clear()
    backfills.forget_site()
    gemini.cache_clear()
    processes.close()
    idle.end()


def configure(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Change settings by their names for the rest of a test."""
    for name, value in values.items():
        monkeypatch.setenv(f"BACKFILL_{name.upper()}", str(value))
    forget_settings()


class Engine:
    """One database, one emulator, and the engine between them."""

    def __init__(self, database_url: str, emulator_url: str) -> None:
        self.database_url = database_url
        self.http = httpx.Client(base_url=f"{emulator_url}/_emulator", timeout=30, trust_env=False)

    # The world

    def asked_lately(self) -> None:
        """Leave what a run of an hour ago did: a job was created, every question was answered."""
        with connect() as connection:
            earlier_run.leave_answers(connection)

    def later(self, hours: float) -> None:
        """Let hours go by in the ledger."""
        moved = {"slices": ("finished_at", "submitted_at"), "generations": ("ended_at",)}
        for table, columns in moved.items():
            for column in columns:
                self.sql(
                    f"update backfill.{table} set {column} = {column}"
                    " - %(hours)s * interval '1 hour'",
                    hours=hours,
                )

    def load(self, *texts: str | None) -> list[str]:
        """Store passages and return their ids."""
        ids = [str(uuid5(SPACE, str(number))) for number in range(len(texts))]
        for passage_id, text in zip(ids, texts, strict=True):
            self.insert(passage_id, text)
        self.sql(_DEMO["plant_legacy_rows"])
        return ids

    def insert(self, passage_id: str | None, text: str | None) -> None:
        """Store one passage."""
        self.sql(_DEMO["insert_passage"], passage_id=passage_id, passage_text=text)

    def load_samples(self, count: int) -> list[str]:
        return self.load(*map(sample_text, range(count)))

    def sql(self, statement: str, **values: object) -> list[Json]:
        """Return what a statement of the test answers."""
        with connect() as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def alter_database(self, how: LiteralString) -> None:
        """Change what every session begins with from now on."""
        with connect() as connection:
            name = sql.Identifier(connection.info.dbname)
            connection.execute(sql.SQL("alter database {} {}").format(name, sql.SQL(how)))
        idle.end()

    def fault(self, kind: str, **body: object) -> None:
        self.http.post("/faults", json={"kind": kind, **body}).raise_for_status()

    def no_faults(self) -> None:
        self.http.delete("/faults").raise_for_status()

    def set(self, **values: object) -> None:
        self.http.post("/settings", json=values).raise_for_status()

    def advance(self, seconds: float) -> None:
        self.http.post("/clock", json={"advance_seconds": seconds}).raise_for_status()

    def at_event(self, kind: str, call: Callable[..., object], *arguments: object) -> None:
        """Let something happen once the emulator has announced an event."""

        def wait() -> None:
            seen = 0
            while True:
                query = {"after": seen, "wait_seconds": 10}
                for event in self.http.get("/events", params=query).json()["events"]:
                    seen = event["seq"]
                    if event["kind"] == kind:
                        call(*arguments)
                        return

        threading.Thread(target=wait, daemon=True).start()

    def forget(self) -> None:
        """Start from nothing again, but for the passages."""
        self.sql(
            "truncate backfill.generations, backfill.slices, backfill.runs,"
            " backfill.answer_blocks, backfill.projections, backfill.restores cascade"
        )
        self.sql("truncate passage_concepts, kb_migrations")
        self.asked_lately()
        self.http.post("/reset").raise_for_status()
        self.set(run_seconds=0.0, trouble=0.0)

    def jobs(self) -> int:
        """Return how many jobs were ever created."""
        events = self.http.get("/events").json()["events"]
        return sum(event["kind"] == "job_created" for event in events)

    def at_rest(self) -> None:
        """Return when every job that was created has ended."""
        events: list[Json] = []
        while sum(event["kind"] == "job_succeeded" for event in events) < self.jobs():
            query = {"after": 0, "wait_seconds": 1}
            events = self.http.get("/events", params=query).json()["events"]

    def calls(self, method: str) -> int:
        return int(self.http.get("/calls").json().get(method, 0))

    # The engine

    def run(self, **options: object) -> State[Any]:
        """Run the whole backfill; return its last state."""
        chosen: Json = {
            "name": NAME,
            "approve_up_to_usd": 100.0,
            "slice_size": 100,
            "without_pilot": True,
            **options,
        }
        return asyncio.run(backfill.fn(**chosen))

    def summary(self, **options: object) -> str:
        """Run the whole backfill to its end; return what it says.

        Of a few rows, some spoilt on purpose, gates say nothing of the run.
        """
        state = self.run(**options)
        is_over = state.is_completed() or " It does not pass: " in str(state.message)
        assert is_over, f"{state.name}: {state.message}"
        return str(state.message)

    def plan(self, slice_size: int = 100) -> list[str]:
        """Plan everything as a full run does; return the slices' ids."""
        options = PlanOptions.of("full", None, slice_size, fresh=False)
        plan = make_plan.directly(NAME, options, None)
        with connect() as connection:
            self._claim(connection)
            runs.approve(connection, plan.run_id, 100.0, "test")
            return [each.slice_id for each in slices.open_slices(connection, plan.run_id)]

    def _claim(self, connection: Connection) -> None:
        from tasks.slices.requests import meaning, question_digest

        asked = backfills.asked(connection, NAME)
        versions.claim(connection, asked, question_digest(asked), meaning(asked))

    # What came of it

    def slice(self, slice_id: str) -> Slice:
        with connect() as connection:
            return slices.get(connection, slice_id)

    def slices(self) -> list[Json]:
        return self.sql(
            "select * from backfill.slices where not starts_with(slice_id, %(name)s)"
            " order by planned_at, attempt, slice_id",
            name=earlier_run.MARK,
        )

    def generations(self) -> list[Json]:
        return self.sql("select * from backfill.generations order by target_id, planned_at")

    def ends(self) -> Counter[str]:
        """Return how many targets came to which end, for which reason if they are bad."""
        return Counter(
            f"{row['state']}: {row['reason']}"
            if row["state"] in ("bad", "skipped")
            else row["state"]
            for row in self.generations()
        )

    def rows(self) -> list[Json]:
        """Return our rows in the user's table, without the time."""
        return self.sql(
            "select to_jsonb(passage_concepts) - 'created_at' as row from passage_concepts"
            " where extractor_version = %(version)s order by 1",
            version=VERSION,
        )

    def legacy(self) -> str:
        with connect() as connection:
            row = connection.execute(_DEMO["legacy_checksum"]).fetchone()
        return str(row and row["checksum"])

    def processed(self) -> int:
        """Return what the checkpoint counts, without what an earlier run had left."""
        [job] = self.sql(
            "select items_processed - (select coalesce(sum(written), 0) from backfill.slices"
            " where slice_id like 'earlier-%%' and backfill = %(name)s) as count"
            " from kb_migrations",
            name=NAME,
        )
        return int(job["count"])

    def billed(self) -> dict[str, int]:
        """Return every answered key and how often it is paid."""
        return dict(self.http.get("/keys", params={"min": 1}).json()["keys"])

    def ends_by_target(self) -> dict[str, str]:
        """Return each target's end, with the reason of a bad one."""
        return {
            row["target_id"]: f"{row['state']}: {row['reason']}"
            if row["state"] in UNUSED
            else row["state"]
            for row in self.generations()
        }

    def check(self, *, salvaged: int = 0) -> None:
        """Assert the invariants that hold after every completed run.

        Answers that the emulator calls spoiled may have been `salvaged` all the same.
        """
        twice = self.http.get("/keys", params={"min": 2}).json()["keys"]
        assert twice == {}, f"paid twice: {twice}"
        ends = self.ends()
        assert ends["planned"] == 0, ends
        written = {str(row["doc_id"]) for row in self.generations() if row["state"] == "written"}
        paid = set(self.billed())
        at_once = sum(key.startswith("text:") for key in paid)  # the canary goes by its text
        assert len(written - paid) <= salvaged + at_once, "written without an answer"
        self._check_sums(ends)
        with connect() as connection:
            offsets = connection.execute(_DEMO["false_offsets"]).fetchone()
        assert offsets == {"false_offsets": 0}

    def _check_sums(self, ends: Counter[str]) -> None:
        """Assert that the slices say the same as the generations, and the rows as both."""
        for each in self.slices():
            assert each["state"] in ("done", "failed"), each
            sums = each["written"] + each["empty"] + each["bad"] + each["skipped"]
            assert each["state"] == "failed" or sums == each["request_count"], each
        with_rows = self.sql(
            "select count(distinct passage_id) as n from passage_concepts"
            " where extractor_version = %(version)s",
            version=VERSION,
        )
        current = {row["target_id"] for row in self.generations() if row["state"] == "written"}
        assert with_rows[0]["n"] == len(current), (with_rows, ends)
