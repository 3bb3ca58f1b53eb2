"""What the operator's tests do again and again."""

from tasks.adapters.ledger import slices
from tasks.adapters.postgres import connect
from tasks.slices import submission
from tasks.slices.batch import build, upload


def in_flight(slice_id: str) -> str:
    """Bring a planned slice as far as its batch job; return the job's name."""
    submission.submit(slice_id, upload.directly(build.directly(slice_id)).name, None)
    with connect() as connection:
        return str(slices.get(connection, slice_id).job_name)
