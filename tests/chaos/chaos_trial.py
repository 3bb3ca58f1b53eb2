"""One trial: a deployment, by blows interrupted, and run again until it is complete."""

import contextlib
import time
from dataclasses import dataclass
from random import Random

import httpx
from chaos_world import TERMINAL, Json, Outcome, World, ticks

HELD = ("upload_started", "upload_finished", "job_created", "poll", "download_started")
"""Events that the emulator can hold, so that a kill falls between a deed and its answer."""
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
SILENT_SECONDS = 20.0  # a run without a process for so long will not come back by itself
TRIAL_SECONDS = 200.0
MOST_ATTEMPTS = 8
LOOK_EVERY = 5  # ticks; asking Prefect ten times a second would cost it more than the flow does


@dataclass(frozen=True)
class Blow:
    """One kill: of whom, and so many seconds after an event of the emulator, or after the start."""

    victim: str
    event: str | None
    seconds: float

    def __str__(self) -> str:
        return f"{self.victim} {self.seconds:.1f} s after {self.event or 'the start'}"


@dataclass(frozen=True)
class Plan:
    """What befalls one trial; the same for the same seed."""

    blows: tuple[Blow, ...]
    faults: tuple[Json, ...]

    @classmethod
    def of(cls, seed: int) -> "Plan":
        random = Random(seed)
        # The victims take turns, so that even a few seeds meet all of them.
        victims = [VICTIMS[(seed + turn) % len(VICTIMS)] for turn in range(random.randint(1, 3))]
        return cls(
            tuple(_blow(random, victim) for victim in victims),
            tuple(random.sample(FAULTS, random.randint(0, 2))),
        )


def _blow(random: Random, victim: str) -> Blow:
    if random.random() < 0.6:
        return Blow(victim, random.choice(HELD), random.uniform(0, 0.4))
    return Blow(victim, None, random.uniform(1, 9))


class Trial:
    """One deployment run, by blows interrupted, and run again until it is complete."""

    def __init__(self, world: World, seed: int, plan: Plan | None = None) -> None:
        self.world = world
        self.seed = seed
        self.random = Random(seed)
        self.plan = plan or Plan.of(seed)
        self.kills: list[str] = []
        self.attempts: list[str] = []
        self._blows = list(self.plan.blows)

    def run(self) -> Outcome:
        """Return what is there in the end; raise TimeoutError if it does not come to an end."""
        self.world.reset()
        for fault in self.plan.faults:
            self.world.fault(fault)
        deadline = time.monotonic() + TRIAL_SECONDS
        run, last = self.world.start(), "new"
        while (state := self._attempt(run, deadline)) != "Completed":
            self.attempts.append(f"{last}: {state}")
            if len(self.attempts) > MOST_ATTEMPTS or not self.plan.blows:
                said = self.world.state(run).get("message")
                raise AssertionError(f"It does not get done: {said}; {self._describe()}")
            run, last = self._again(run)
        self.attempts.append(f"{last}: {state}")
        outcome = self.world.outcome()
        outcome.kills, outcome.attempts = self.kills, self.attempts
        outcome.faults, outcome.seed = self.world.faults_met(), self.seed
        return outcome

    def _again(self, run: str) -> tuple[str, str]:
        """Run the same deployment again, as a new run or by Retry."""
        if self.random.random() < 0.5:
            self.world.retry(run)
            return run, "retry"
        return self.world.start(), "new"

    def _attempt(self, run: str, deadline: float) -> str:
        """Follow one run, with blows, to its end; return the name of its last state."""
        blow = self._arm()
        silent_since = time.monotonic()
        for tick in ticks(deadline, self._describe):
            if blow and self._due(blow):
                struck = self.world.kill(blow.victim, self.random.uniform(0, 1))
                self.kills += [str(blow)] if struck else []
                self._blows.pop(0)
                blow = self._arm()
            if tick % LOOK_EVERY:
                continue
            state = self.world.state(run)
            if state.get("type") in TERMINAL:
                return str(state["name"])
            if self.world.flows():
                silent_since = time.monotonic()
            elif self._lost(state, silent_since):
                return "Lost"
        raise AssertionError

    def _lost(self, state: Json, since: float) -> bool:
        """Return whether the run's process is gone, and nobody will start another one."""
        running = state.get("type") in ("RUNNING", "CANCELLING")
        patience = 2.0 if running and self.kills else SILENT_SECONDS
        waits = state.get("type") == "SCHEDULED" or not state
        return not waits and time.monotonic() - since > patience

    def _arm(self) -> Blow | None:
        """Get ready for the next blow: hold its event, so that it falls into the middle."""
        self._started, self._event_at = time.monotonic(), None
        if not self._blows:
            return None
        events = self.world.events(0)
        self._seen = int(events[-1]["seq"]) if events else 0
        if event := self._blows[0].event:
            with contextlib.suppress(httpx.HTTPError):
                self.world.fault(
                    {"kind": "pause", "times": 1, "match": {"event": event}, "seconds": 1.5}
                )
        return self._blows[0]

    def _due(self, blow: Blow) -> bool:
        now = time.monotonic()
        if blow.event is None:
            return now - self._started >= blow.seconds and bool(self.world.flows())
        if self._event_at is None:
            for event in self.world.events(self._seen):
                self._seen = event["seq"]
                if event["kind"] == blow.event:
                    self._event_at = now
                    break
        return self._event_at is not None and now - self._event_at >= blow.seconds

    def _describe(self) -> str:
        return f"kills: {self.kills}, attempts: {self.attempts}, left: {self._blows}"
