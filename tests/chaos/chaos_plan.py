"""What befalls a trial: blows and faults, the same for the same seed."""

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

Json = dict[str, Any]
Through = Literal["process", "server", "worker", "workers"]
"""In a process forked from a warm one; there with a server; a worker's; one for each slice."""

HELD = ("upload_started", "upload_finished", "job_created", "poll", "download_started")
"""Events that the emulator can hold, so that a blow falls between a deed and its answer."""
VICTIMS = ("flow", "worker", "prefect", "postgres", "emulator")
FAULTS: tuple[Json, ...] = (
    {"kind": "create_then_drop", "times": 1},
    {"kind": "create_then_503", "times": 1},
    {"kind": "create_quota", "times": 2},
    {"kind": "listing_lag", "times": 1, "listed_after": 1},
    {"kind": "upload_dropped", "times": 1},
    {"kind": "truncated_download", "times": 1},
    {"kind": "output_late", "times": 1, "output_after": 1},
    {"kind": "failed", "times": 1},
    {"kind": "expired", "times": 1},
    {"kind": "shuffled_lines"},
    {"kind": "unknown_key", "times": 3},
    {"kind": "error_503", "times": 3, "match": {"method": "batches.get"}},
)
LEASE_SECONDS = 3.0
HTTP_SECONDS = 3.0
PATHS: tuple[tuple[Through, int], ...] = (
    ("process", 84),
    ("server", 8),
    ("worker", 5),
    ("workers", 3),
)
"""Of a hundred trials so many go this way: what needs a worker costs five times as much."""
PARTS: dict[Through, tuple[str, ...]] = {
    "process": ("postgres", "emulator"),
    "server": ("postgres", "emulator", "prefect", "prefect"),
    "worker": ("postgres", "emulator", "prefect", "worker", "worker"),
    "workers": ("postgres", "emulator", "prefect", "worker", "worker"),
}


@dataclass(frozen=True)
class Blow:
    """To whom, and so many seconds after an event of the emulator or after the blow before.

    A kill with -9, unless the victims are `frozen` for some seconds and then go on.
    """

    victims: tuple[str, ...]
    event: str | None
    seconds: float
    frozen: float = 0.0

    def __str__(self) -> str:
        deed = f"frozen for {self.frozen:.1f} s" if self.frozen else "killed"
        when = f"{self.seconds:.1f} s after {self.event or 'the blow before'}"
        return f"{' and '.join(self.victims)} {deed} {when}"


@dataclass(frozen=True)
class Plan:
    """What befalls one trial: how it is run, by how many at once, and all that happens to it."""

    blows: tuple[Blow, ...]
    faults: tuple[Json, ...]
    through: Through = "worker"
    at_once: int = 1
    pooled: bool = False

    @classmethod
    def of(cls, seed: int) -> "Plan":
        """Return one to three kills of a run through a worker."""
        random = Random(seed)
        # The victims take turns, so that even a few seeds meet all of them.
        victims = [VICTIMS[(seed + turn) % len(VICTIMS)] for turn in range(random.randint(1, 3))]
        return cls(
            tuple(_blow(random, (victim,), 9) for victim in victims),
            tuple(random.sample(FAULTS, random.randint(0, 2))),
        )

    @classmethod
    def of_campaign(cls, seed: int) -> "Plan":
        """Return four to seven blows of any kind, to one run or two."""
        random = Random(f"campaign {seed}")
        [through] = random.choices([path for path, _ in PATHS], [share for _, share in PATHS])
        pooled = random.random() < 0.5
        parts = [*PARTS[through], *(["pgbouncer"] if pooled else [])]
        latest = 2.5 if through == "process" else 8.0
        return cls(
            tuple(_any_blow(random, parts, latest) for _ in range(random.randint(4, 7))),
            tuple(random.sample(FAULTS, random.randint(0, 2))),
            through,
            2 if through in {"process", "server"} and random.random() < 0.3 else 1,
            pooled,
        )

    @property
    def environment(self) -> dict[str, str]:
        """How patient the runs of this trial are.

        A job is created again only after a service that stood still has carried out what it got.
        """
        still = max([blow.frozen for blow in self.blows if "emulator" in blow.victims], default=0.0)
        return {
            "BACKFILL_HTTP_TIMEOUT_SECONDS": str(HTTP_SECONDS),
            "BACKFILL_POLL_SECONDS": "0.2",
            "BACKFILL_QUOTA_BACKOFF_SECONDS": "0.5",
            "BACKFILL_LEASE_SECONDS": str(LEASE_SECONDS),
            "BACKFILL_RECREATE_AFTER_SECONDS": str(1.0 + still),
        }

    @property
    def kinds(self) -> set[str]:
        return {victim for blow in self.blows for victim in blow.victims}


def _any_blow(random: Random, parts: list[str], latest: float) -> Blow:
    first = "flow" if random.random() < 0.45 else random.choice(parts)
    victims = {first, random.choice(["flow", *parts])} if random.random() < 0.25 else {first}
    frozen = LEASE_SECONDS + random.uniform(0.5, 1.5) if random.random() < 0.15 else 0.0
    return _blow(random, tuple(sorted(victims)), latest, frozen)


def _blow(random: Random, victims: tuple[str, ...], latest: float, frozen: float = 0.0) -> Blow:
    if random.random() < 0.6:
        return Blow(victims, random.choice(HELD), random.uniform(0, 0.4), frozen)
    return Blow(victims, None, random.uniform(0.1 * latest, latest), frozen)
