"""A job's output onto this machine, whole."""

from pathlib import Path

from tasks.adapters import workspace
from tasks.adapters.gemini import gemini
from tasks.adapters.stages import step
from tasks.adapters.whole_files import whole
from tasks.core.errors import AmbiguousError

_TAIL_BYTES = 4096


@step
def fetch(slice_id: str, output_file: str) -> Path:
    """Return the job's output as a whole file on this machine."""
    path = workspace.responses_path(slice_id)
    with whole(path, private=True) as part:
        gemini().download(output_file, part)
        if not _ends_whole(part):
            # Cut off on the way, or odd where it comes from: then it is as long the next time.
            size = part.stat().st_size
            gemini().download(output_file, part)
            if part.stat().st_size != size:
                message = f"The download of {output_file} broke off; run again."
                raise AmbiguousError(message)
    return path


def _ends_whole(path: Path) -> bool:
    """Return whether a JSONL file ends with a whole line, or holds nothing at all."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        return size == 0 or file.read().rstrip().endswith(b"}")
