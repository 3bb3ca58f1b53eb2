"""Waves: what came of one, and whether the next one may start."""

from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters.database import connect
from tasks.adapters.ledger import waves
from tasks.adapters.stages import in_thread, stage
from tasks.core.errors import GatesFailedError
from tasks.core.waves import Wave


@stage("wave {wave} of {name}")
def report_wave(name: str, run_id: UUID, wave: int) -> None:  # noqa: ARG001 - names the run
    """Say what came of a wave and what it cost."""
    for each in _waves(run_id):
        if each.number == wave:
            get_run_logger().info("%s.", each.sentence())


@in_thread
def refusal(name: str, run_id: UUID, wave: int) -> GatesFailedError | None:
    """Return why this wave may not start: the one before it is outside its gate."""
    before = [each for each in _waves(run_id) if each.number < wave]
    said = before[-1].refusal(backfills.get(name).wave_gate) if before else None
    return GatesFailedError(said) if said else None


def _waves(run_id: UUID) -> list[Wave]:
    with connect() as connection:
        return waves.of_run(connection, run_id)
