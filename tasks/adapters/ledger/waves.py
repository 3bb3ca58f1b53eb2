"""What became of a run's waves, and what each cost."""

from collections import defaultdict
from uuid import UUID

from tasks.adapters.postgres import Connection, Row, statements
from tasks.adapters.reference import usd_of
from tasks.core.responses import Usage
from tasks.core.waves import Wave

_SQL = statements("queries/waves.sql")


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
