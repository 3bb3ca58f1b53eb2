"""Slices in the ledger: planned set-based, reserved before they are created, attached once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql

from tasks.adapters import tables
from tasks.adapters.postgres import Connection, statements, storable
from tasks.core.backfill import Backfill
from tasks.core.ends import SkipReason
from tasks.core.models import OpenSlice, Question, Run, Slice, StoppedBy
from tasks.core.money import Transport, repeats
from tasks.core.slicing import SliceLimits, Waves

_PLAN = statements("queries/plan.sql")

_SQL = statements("queries/slices.sql")

PASSING = tuple(str(reason) for reason in SkipReason if reason.passes)


@dataclass(frozen=True, slots=True)
class Remaining:
    """Targets that want something.

    `askable` are questions; `twins` ask what one of these asks, or what is on its way; the answers
    of `restorable` ones are kept, and those of `thinned` ones, whose rows are away, are no more.
    """

    askable: int
    skipped: int
    restorable: int
    twins: int
    thinned: int
    twin_bytes: int
    content_bytes: int
    longest_bytes: int

    def repeats(self, bytes_per_request: int) -> str:
        """Return how many texts are repeats, and what that saves, in words; empty without any."""
        saved = self.twin_bytes + self.twins * bytes_per_request
        rest = self.content_bytes + self.askable * bytes_per_request
        return repeats(self.twins, self.askable, saved / max(1, saved + rest))


def find_remaining(
    connection: Connection,
    backfill: Backfill,
    csv_file: str | None = None,
    since: datetime | None = None,
) -> Remaining:
    """Collect what remains into the transaction's temporary table `remaining`, and count it.

    Of a backfill over CSVs the rows of one file are in scope, or of all that came in. With `since`
    only rows that were changed then or later are looked at.
    """
    here = tables.of(connection, backfill)
    candidates = here.candidates(changed=since is not None)
    statement = sql.SQL(_PLAN["remaining"]).format(candidates=candidates)
    tables.fix_texts(connection)
    values = {**here.values(csv_file), "passing": list(PASSING), "since": since}
    connection.execute(statement, values)
    row = connection.execute(_PLAN["count_remaining"]).fetchone()
    return Remaining(**row) if row else Remaining(0, 0, 0, 0, 0, 0, 0, 0)


def first_remaining(connection: Connection, size: int, *, sample: bool) -> list[str]:
    """Return the target_ids of what `find_remaining` found that a run would ask first."""
    rows = connection.execute(_PLAN["first_remaining"], {"size": size, "sample": sample})
    return [row["target_id"] for row in rows]


def insert_slices(  # noqa: PLR0913, PLR0917 - a plan is all of this, once
    connection: Connection,
    backfill: Backfill,
    run: Run,
    limits: SliceLimits,
    waves: Waves,
    max_targets: int | None,
) -> int:
    """Plan what `find_remaining` found, up to `max_targets`; return how many targets."""
    question, model = backfill.first_question
    values: dict[str, Any] = {
        **backfill.in_ledger,
        "run_id": run.run_id,
        "question": question,
        "model": model,
        "sample": run.kind == "pilot",
        "max_targets": max_targets,
        "first_wave": waves.first,
        "wave_ends": list(waves.ends) if waves.ends else None,
        "last_wave_end": waves.last_end,
        "last_wave_size": waves.last_size,
        "slice_size": limits.rows,
        "slice_tokens": limits.tokens,
        "slice_bytes": limits.file_bytes,
        "tokens_per_request": limits.tokens_per_request,
        "bytes_per_request": limits.bytes_per_request,
        "bytes_per_token": limits.bytes_per_token,
        "rows_per_request": backfill.rows_per_request,
    }
    for name in ("chosen", "name_slices", "insert_slices"):
        connection.execute(_PLAN[name], values)
    planned = connection.execute(_PLAN["insert_generations"], values).rowcount
    connection.execute(_PLAN["insert_skipped"], values)
    return planned


def plan_restores(connection: Connection, backfill: Backfill) -> None:
    """Note the targets of `find_remaining` whose kept answers are to be written again."""
    connection.execute(_PLAN["plan_restores"], backfill.in_ledger)


def get(connection: Connection, slice_id: str) -> Slice:
    """Return one slice."""
    return _one(connection, _SQL["get_slice"], slice_id)


def lock(connection: Connection, slice_id: str) -> Slice:
    """Return one slice, locked until the transaction ends."""
    return _one(connection, _SQL["lock_slice"], slice_id)


def open_slices(connection: Connection, run_id: UUID) -> list[OpenSlice]:
    """Return the run's unfinished slices in the order in which they go out."""
    rows = connection.execute(_SQL["open_slices"], {"run_id": run_id})
    return [OpenSlice.model_validate(row) for row in rows]


def price(
    connection: Connection, run_id: UUID, usd_per_input_token: float, usd_per_answer: float
) -> None:
    """Set what each planned slice is expected to cost."""
    values = {
        "run_id": run_id,
        "input_usd_per_token": usd_per_input_token,
        "output_usd_per_request": usd_per_answer,
    }
    connection.execute(_SQL["price_slices"], values)


def record_input(
    connection: Connection, slice_id: str, digest: str, display_name: str, tokens: int | None
) -> None:
    """Record what will be sent, how many tokens that is if it is known, and its job's name."""
    values: dict[str, Any] = {"slice_id": slice_id, "input_digest": digest, "tokens": tokens}
    values["display_name"] = display_name
    connection.execute(_SQL["record_input"], values)


def record_upload(connection: Connection, slice_id: str, name: str, expires_at: datetime) -> None:
    """Record the uploaded request file and its end of life."""
    values = {"slice_id": slice_id, "input_file": name, "expires_at": expires_at}
    connection.execute(_SQL["record_upload"], values)


def release(connection: Connection, slice_id: str, error: str) -> None:
    """Take a reservation back: the service clearly said that no job was created."""
    connection.execute(
        _SQL["release"], {"slice_id": slice_id, "error": storable(connection, error)}
    )


def attach_job(
    connection: Connection, slice_id: str, job_name: str, reserved_at: datetime | None = None
) -> bool:
    """Record the job of a reserved slice, which is never created again then; return whether.

    Not where the slice is not reserved any more, or, since `reserved_at`, anew.
    """
    values = {"slice_id": slice_id, "job_name": job_name, "reserved_at": reserved_at}
    return connection.execute(_SQL["attach_job"], values).rowcount > 0


def close(connection: Connection, slice_id: str, totals: Mapping[str, object]) -> None:
    """Record a slice's ends, tokens and cost, and that it is done."""
    connection.execute(_SQL["close_slice"], {**totals, "slice_id": slice_id})


def choose_transport(
    connection: Connection, run_id: UUID, transport: Transport, ask: tuple[Question, str]
) -> None:
    """Settle how the run's planned slices go out, and what they ask of which model first."""
    values = {"run_id": run_id, "transport": transport, "question": ask[0], "model": ask[1]}
    connection.execute(_SQL["choose_transport"], values)


def begin_at_once(connection: Connection, slice_id: str) -> None:
    """Mark a reserved slice as being asked one by one."""
    connection.execute(_SQL["begin_at_once"], {"slice_id": slice_id})


def add_usage(connection: Connection, slice_id: str, usage: Mapping[str, object]) -> None:
    """Add what one row used to what its slice has used."""
    connection.execute(_SQL["add_usage"], {**usage, "slice_id": slice_id})


def add_cost(connection: Connection, slice_id: str, usd: float) -> None:
    """Add what was paid for one row before its answer to what its slice has cost."""
    connection.execute(_SQL["add_cost"], {"slice_id": slice_id, "usd": usd})


def put_back(connection: Connection, slice_id: str) -> None:
    """Plan a slice again that was to be asked one by one, if nothing of it was answered."""
    connection.execute(_SQL["put_back"], {"slice_id": slice_id})


def were_answered(connection: Connection, backfill: Backfill, run_id: UUID | None = None) -> bool:
    """Return whether such a question had an answer in the run, or without one in the last day."""
    values = {**backfill.in_ledger, "model": backfill.model, "run_id": run_id}
    row = connection.execute(_SQL["were_answered"], values).fetchone()
    return bool(row and row["answered"])


def shrink(connection: Connection, slice_id: str, less: int) -> None:
    """Take off a planned slice what so many targets weighed that went to another one."""
    connection.execute(_SQL["shrink"], {"slice_id": slice_id, "less": less})


def ask_at_once(connection: Connection, slice_id: str, model: str, times_dearer: float) -> None:
    """Let a planned slice be asked one by one, whatever way its run goes."""
    values = {"slice_id": slice_id, "model": model, "times_dearer": times_dearer}
    connection.execute(_SQL["ask_at_once"], values)


def fail(connection: Connection, slice_id: str, error: str) -> None:
    """Close a slice whose job ended without answers."""
    connection.execute(
        _SQL["fail_slice"], {"slice_id": slice_id, "error": storable(connection, error)}
    )


def in_flight(connection: Connection) -> list[Slice]:
    """Return every slice, of all backfills, that has a batch job or may have one."""
    return [Slice.model_validate(row) for row in connection.execute(_SQL["in_flight"])]


def older_in_flight(connection: Connection, backfill: Backfill) -> list[Slice]:
    """Return the backfill's slices that have, or may have, a job of another version."""
    rows = connection.execute(_SQL["older_in_flight"], backfill.in_ledger)
    return [Slice.model_validate(row) for row in rows]


def had_jobs_lately(connection: Connection) -> bool:
    """Return whether a batch job, of any backfill, is in flight or was created in the last day."""
    row = connection.execute(_SQL["had_jobs_lately"]).fetchone()
    return bool(row and row["found"])


def counted_per_guess(connection: Connection, model: str, rows: int) -> float | None:
    """Return how many tokens the service counted for each that was guessed; None before any.

    Of so many rows a request: a guess is of the schema too, which several have once.
    """
    row = connection.execute(_SQL["counted_per_guess"], {"model": model, "rows": rows}).fetchone()
    return float(row["ratio"]) if row and row["ratio"] else None


def next_try(connection: Connection, slice_id: str, after: int) -> int:
    """Return the number of the slice's flow run on a worker, of a later one than `after`."""
    values = {"slice_id": slice_id, "after": after}
    row = connection.execute(_SQL["next_try"], values).fetchone()
    return int(row["tries"]) if row else after + 1


def note_stop(connection: Connection, slice_id: str, stopped_by: StoppedBy, error: str) -> None:
    """Keep what the slice met that has to stop the whole run."""
    said = storable(connection, error)
    values = {"slice_id": slice_id, "stopped_by": stopped_by, "error": said}
    connection.execute(_SQL["note_stop"], values)


def run_is_stopped(connection: Connection, slice_id: str) -> bool:
    """Return whether the slice's run was told to stop."""
    row = connection.execute(_SQL["run_is_stopped"], {"slice_id": slice_id}).fetchone()
    return bool(row and row["stopped"])


def not_adding_up(connection: Connection, run_id: UUID) -> list[str]:
    """Return the finished slices whose ends do not sum to their requests."""
    return [row["slice_id"] for row in connection.execute(_SQL["sum_of_ends"], {"run_id": run_id})]


def _one(connection: Connection, statement: LiteralString, slice_id: str) -> Slice:
    row = connection.execute(statement, {"slice_id": slice_id}).fetchone()
    if row is None:
        message = f"There is no slice {slice_id} in the ledger."
        raise LookupError(message)
    return Slice.model_validate(row)
