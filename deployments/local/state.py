"""What a stack remembers between commands: the ports it chose and the processes it started."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deployments.local.processes import Record


@dataclass
class State:
    """Ports and processes by part, and what was deployed; one file that is replaced whole."""

    path: Path
    ports: dict[str, int] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    deployed: str = ""

    @classmethod
    def load(cls, path: Path) -> "State":
        """Return what was saved at `path`, or an empty state."""
        if not path.exists():
            return cls(path)
        saved = json.loads(path.read_text())
        records = {name: Record(**record) for name, record in saved["records"].items()}
        return cls(path, saved["ports"], records, saved["deployed"])

    def save(self) -> None:
        """Replace the file."""
        records = {name: asdict(record) for name, record in self.records.items()}
        partial = self.path.with_suffix(".part")
        saved = {"ports": self.ports, "records": records, "deployed": self.deployed}
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(saved, indent=2))
        partial.rename(self.path)
