"""What became of a run's waves and slices, for gates to be held against."""

from collections import defaultdict
from uuid import UUID

from tasks.adapters.postgres import Connection, Row, statements
from tasks.adapters.reference import usd_of
from tasks.core.answers import BadReason
from tasks.core.gates import Gate
from tasks.core.responses import Usage
from tasks.core.waves import EndedSlice, Wave, judge

_SQL = statements("queries/waves.sql")
_TOGETHER = (BadReason.LEFT_OUT, BadReason.CROSSED)
_SAY_NOTHING = [f"bad:{each}" for each in BadReason if each.is_unpaid or each in _TOGETHER]
"""Of a question: the service failed, or a row got no answer because others were asked with it."""


def of_run(connection: Connection, run_id: UUID) -> list[Wave]:
    """Return the run's waves in their order, with their cost at both prices."""
    slices: dict[int, int] = defaultdict(int)
    cost: dict[int, float] = defaultdict(float)
    standard: dict[int, float] = defaultdict(float)
    for row in connection.execute(_SQL["tokens_of_waves"], {"run_id": run_id}):
        slices[row["wave"]] += row["slices"]
        cost[row["wave"]] += row["cost_usd"]
        standard[row["wave"]] += _at_standard_price(row)
    return [
        Wave(
            number=row["wave"],
            usable=row["usable"],
            bad=row["bad"],
            skipped=row["skipped"],
            planned=row["planned"],
            slices=slices[row["wave"]],
            cost_usd=cost[row["wave"]],
            standard_usd=standard[row["wave"]],
        )
        for row in connection.execute(_SQL["waves"], {"run_id": run_id})
    ]


def _at_standard_price(row: Row) -> float:
    usage = Usage(row["input_tokens"], row["output_tokens"])
    model, transport = row["model"], row["transport"]
    more = usd_of(model, usage, "interactive") - usd_of(model, usage, transport)
    return float(row["cost_usd"]) + more


def off_course(connection: Connection, slice_id: str, gate: Gate | None) -> str | None:
    """Return why nothing more of a slice's run may be sent, or None where more may."""
    values = {"slice_id": slice_id, "say_nothing": _SAY_NOTHING}
    rows = connection.execute(_SQL["ended_slices"], values)
    return judge([EndedSlice(**row) for row in rows], gate)
