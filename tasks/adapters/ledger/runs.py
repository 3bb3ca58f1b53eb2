"""Runs in the ledger: what they may cost, how far they are, and how they were judged."""

from collections.abc import Mapping
from uuid import UUID

import orjson

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill
from tasks.core.drift import LAST_RUNS, Earlier, earlier
from tasks.core.errors import SettingsError
from tasks.core.models import Kind, MeasuredTokens, Progress, Run, Spending, Totals

_SQL = statements("queries/runs.sql")
_SLICES = statements("queries/slices.sql")
_VERDICTS = statements("queries/verdicts.sql")


def open_run(
    connection: Connection,
    backfill: Backfill,
    kind: Kind,
    max_targets: int | None,
    flow_run_id: str | None,
) -> tuple[Run, bool]:
    """Return the run to go on with and whether it is an earlier, unfinished one."""
    values = {
        **backfill.in_ledger,
        "kind": kind,
        "max_targets": max_targets,
        "flow_run_id": flow_run_id,
        "site": orjson.dumps(dict(backfill.site)).decode(),
    }
    unfinished = connection.execute(_SQL["unfinished_run"], values).fetchone()
    if unfinished:
        resumed = connection.execute(_SQL["resume_run"], {**values, "run_id": unfinished["run_id"]})
        return Run.model_validate(resumed.fetchone()), True
    return Run.model_validate(connection.execute(_SQL["insert_run"], values).fetchone()), False


def adopt_open_slices(connection: Connection, run: Run) -> None:
    """Bring work that earlier runs left open under this run."""
    values = {
        "run_id": run.run_id,
        "backfill": run.backfill,
        "extractor_version": run.extractor_version,
        "is_limited": run.max_targets is not None,
    }
    connection.execute(_SQL["adopt_open_slices"], values)


def count_taken_on(connection: Connection, run_id: UUID) -> int:
    """Return how many targets a run has on its hands, ended ones too."""
    row = connection.execute(_SQL["count_taken_on"], {"run_id": run_id}).fetchone()
    return int(row["targets"]) if row else 0


def forget_unsubmitted(
    connection: Connection, backfill: Backfill, keep_run_id: UUID | None = None
) -> int:
    """Drop plans, but one run's, that promised nothing to anyone; return how many targets."""
    values = {
        **backfill.in_ledger,
        "keep_run_id": keep_run_id,
    }
    forgotten = connection.execute(_SQL["forget_generations"], values).rowcount
    connection.execute(_SQL["keep_costs"], values)
    connection.execute(_SQL["forget_slices"], values)
    return forgotten


def require_site(connection: Connection, slice_id: str, site: Mapping[str, object]) -> None:
    """Raise SettingsError where the slice's run began under another site file than this one."""
    row = connection.execute(_SQL["site_of_slice"], {"slice_id": slice_id}).fetchone()
    recorded, here = (row or {}).get("site", {}), orjson.loads(orjson.dumps(dict(site)))
    differing = [key for key in {**recorded, **here} if recorded.get(key) != here.get(key)]
    if row and differing:
        raise SettingsError(
            f"The run of {row['backfill']} began with {_line(differing[0], recorded)} in"
            f" backfills.toml, and this worker has {_line(differing[0], here)}: give every worker"
            " the same file, or start a new run."
        )


def _line(key: str, section: Mapping[str, object]) -> str:
    return f"{key} = {section[key]!r}" if key in section else f"no line {key}"


def get(connection: Connection, run_id: UUID) -> Run:
    """Return one run."""
    return Run.model_validate(connection.execute(_SQL["get_run"], {"run_id": run_id}).fetchone())


def record_estimate(connection: Connection, run_id: UUID, usd: float) -> None:
    """Remember what the run was estimated to cost."""
    connection.execute(_SQL["record_estimate"], {"run_id": run_id, "estimated_usd": usd})


def approve(
    connection: Connection, run_id: UUID, usd: float, by: str, flow_run_id: str | None = None
) -> None:
    """Set the run's hard cap, who gave it, and in which flow run."""
    values = {
        "run_id": run_id,
        "approved_usd": usd,
        "approved_by": by,
        "approved_in": flow_run_id,
    }
    connection.execute(_SQL["approve"], values)


def approve_restores(connection: Connection, run_id: UUID) -> None:
    """Keep that a person wants many missing rows written again."""
    connection.execute(_SQL["approve_restores"], {"run_id": run_id})


def end(connection: Connection, run_id: UUID, state: str, message: str | None = None) -> None:
    """Close a run as finished, failed, stopped or refused."""
    connection.execute(_SQL["end_run"], {"run_id": run_id, "state": state, "message": message})


def totals(connection: Connection, run_id: UUID) -> Totals:
    """Return the ends of the run's targets, counted from the generations themselves."""
    counted: dict[str, dict[str, int]] = {}
    for row in connection.execute(_SQL["totals"], {"run_id": run_id}):
        counted.setdefault(row["state"], {})[row["reason"] or "unknown"] = row["targets"]
    return Totals(
        planned=sum(counted.get("planned", {}).values()),
        written=sum(counted.get("written", {}).values()),
        empty=sum(counted.get("empty", {}).values()),
        bad=counted.get("bad", {}),
        skipped=counted.get("skipped", {}),
    )


def spending(connection: Connection, run_id: UUID) -> Spending:
    """Return the run's dollars and tokens so far."""
    row = connection.execute(_SQL["spending"], {"run_id": run_id}).fetchone()
    return Spending.model_validate(row)


def progress(connection: Connection, run_id: UUID) -> Progress:
    """Return how far the run is."""
    row = connection.execute(_SLICES["slice_progress"], {"run_id": run_id}).fetchone()
    return Progress.model_validate(row)


def measured_tokens(connection: Connection, backfill: Backfill, rows: int) -> MeasuredTokens:
    """Return tokens per answer of this version so far, where so many rows went together."""
    values = {**backfill.in_ledger, "rows": rows}
    return MeasuredTokens.model_validate(
        connection.execute(_SQL["measured_usage"], values).fetchone()
    )


def record_gates(connection: Connection, run_id: UUID, digest: str, *, passed: bool) -> None:
    """Keep the verdict of a run, and what it was a verdict on."""
    values = {"run_id": run_id, "passed": passed, "digest": digest}
    connection.execute(_VERDICTS["record_verdict"], values)


def record_measured(
    connection: Connection, run_id: UUID, measured: Mapping[str, float | None]
) -> None:
    """Keep what was measured of a run, for the next ones of its version."""
    values = {"run_id": run_id, "measured": orjson.dumps(dict(measured)).decode()}
    connection.execute(_VERDICTS["record_measured"], values)


def measured_earlier(connection: Connection, run_id: UUID) -> dict[str, Earlier]:
    """Return what was measured of the last other runs of a run's version."""
    values = {"run_id": run_id, "last": LAST_RUNS}
    rows = connection.execute(_VERDICTS["earlier_measured"], values)
    return earlier([row["measured"] for row in rows])


def mark_running(connection: Connection, run_id: UUID) -> None:
    """Say that a run which Prefect resumed or retried is at work again."""
    connection.execute(_VERDICTS["mark_running"], {"run_id": run_id})


def note_override(connection: Connection, run_id: UUID) -> None:
    """Keep that a person let this run start without a pilot."""
    connection.execute(_VERDICTS["note_override"], {"run_id": run_id})


def latest_pilot(connection: Connection, backfill: Backfill, digest: str) -> bool | None:
    """Return whether the latest judged pilot passed; None when there was none."""
    values = {**backfill.in_ledger, "digest": digest}
    row = connection.execute(_VERDICTS["latest_pilots"], values).fetchone()
    return None if row is None else bool(row["passed"])


def open_targets(connection: Connection, backfill: Backfill) -> int:
    """Return how many targets stand in slices that have not ended."""
    row = connection.execute(_VERDICTS["open_targets"], backfill.in_ledger).fetchone()
    return int(row["targets"]) if row else 0
