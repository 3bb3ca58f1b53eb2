"""What all calls of `make chaos` come to, kept in bench/chaos.json and told in bench/chaos.md."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import orjson

BENCH = Path(__file__).parents[2] / "bench"
KEPT, TOLD = BENCH / "chaos.json", BENCH / "chaos.md"
VICTIMS = ("flow", "worker", "prefect", "postgres", "pgbouncer", "emulator")
ABOUT = """# Kills and freezes

`make chaos ARGS="--seeds 1-100"` adds a line; a seed says all that befalls its trial. A trial is
one life of a backfill of {size} passages in slices of {slice_size}. It is struck four to seven
times, at an event of the service that is held, or at any moment: processes are killed with -9,
alone or two at once, or stopped for longer than a lease and let go on. After each blow the backfill
is run again, until it is complete. In three of ten trials two runs are at work at once, half of all
go through PgBouncer in transaction mode, two of three meet faults of the service as well.

What is left is held against an undisturbed run: every row, each target's end and the sums in the
ledger, the checkpoint, what the service bills for each key, and what the ledger booked for that.
"""


@dataclass
class Call:
    """What the trials of one call came to."""

    at: str = ""
    seeds: str = ""
    trials: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    freezes: Counter[str] = field(default_factory=Counter)
    two_at_once: int = 0
    pooled: int = 0
    on_workers: int = 0
    faults: int = 0
    rows: int = 0
    twice: int = 0
    lost: int = 0
    different: int = 0
    unfinished: int = 0
    cpu: float = 0.0
    note: str = ""

    @property
    def is_bad(self) -> bool:
        """Return whether anything is not as it should be."""
        return bool(self.twice or self.lost or self.different or self.unfinished)

    def line(self, name: str) -> str:
        """Return it as a row of the table."""
        values: tuple[object, ...] = (
            name,
            f"{self.trials:,}",
            f"{self.kills.total():,}",
            f"{self.freezes.total():,}",
            f"{self.faults:,}",
            f"{self.rows:,}",
            self.twice,
            self.lost,
            self.different,
            self.unfinished,
            f"{self.cpu / max(1, self.trials):.1f}",
        )
        return f"| {' | '.join(map(str, values))} |"

    def add(self, other: "Call") -> None:
        for name, value in vars(other).items():
            if name not in {"at", "seeds", "note"}:
                setattr(self, name, getattr(self, name) + value)


HEAD = (
    "| seeds | trials | kills | freezes | faults met | rows compared | paid twice | lost"
    " | different | without an end | CPU s a trial |\n|" + "---|" * 11
)


def keep(call: Call) -> None:
    """Add a call to the others, or put it in the place of what was known of it before."""
    others = [each for each in _kept() if (each.at, each.seeds) != (call.at, call.seeds)]
    values = [vars(each) for each in [*others, call]]
    KEPT.write_bytes(orjson.dumps(values, option=orjson.OPT_INDENT_2))


def tell(size: int, slice_size: int) -> None:
    """Write the table, the totals on top."""
    total = Call()
    for each in _kept():
        total.add(each)
    lines = [each.line(f"{each.seeds} ({each.at})") for each in _kept()]
    struck = [HEAD_OF_VICTIMS, _of_victims("kills", total.kills)]
    struck.append(_of_victims("freezes", total.freezes))
    also = (
        f"Of all trials {total.two_at_once:,} had two runs at once, {total.pooled:,} went through"
        f" PgBouncer, {total.on_workers:,} through a worker."
    )
    about = ABOUT.format(size=size, slice_size=slice_size)
    parts = [about, "\n".join([HEAD, total.line("**all**"), *lines]), "\n".join(struck), also]
    parts += [f"{each.seeds}: {each.note}" for each in _kept() if each.note]
    TOLD.write_text("\n\n".join(part.rstrip() for part in parts) + "\n", encoding="utf-8")


HEAD_OF_VICTIMS = f"| of | {' | '.join(VICTIMS)} |\n|{'---|' * (len(VICTIMS) + 1)}"


def _of_victims(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {' | '.join(f'{counts[victim]:,}' for victim in VICTIMS)} |"


def _kept() -> list[Call]:
    if not KEPT.exists():
        return []
    return [
        Call(**{**each, "kills": Counter(each["kills"]), "freezes": Counter(each["freezes"])})
        for each in orjson.loads(KEPT.read_bytes())
    ]
