"""One trial: a backfill, interrupted by blows, and run again until it is complete."""

import contextlib
import signal
import time
from collections.abc import Iterator
from random import Random

import httpx
import psutil
from chaos_ground import Outcome, ticks
from chaos_plan import Blow, Plan
from chaos_runs import Run, runs_of
from chaos_world import World

TRIAL_SECONDS = 600.0
ATTEMPTS_FOR_A_BLOW = 4
HOLD_SECONDS = 1.5
ASIDE = "SteppedAside"
REST_SECONDS = 1.0


class Trial:
    """One backfill, interrupted by blows, and run again until it is complete."""

    def __init__(self, world: World, seed: int, plan: Plan | None = None) -> None:
        self.world = world
        self.random = Random(seed)
        self.seed = seed
        self.plan = plan or Plan.of(seed)
        self.kills: list[str] = []
        self.freezes: list[str] = []
        self.attempts: list[str] = []
        self._runs = runs_of(world, self.plan)
        self._at_work: list[Run] = []
        self._is_complete = False
        self._rests_until = 0.0

    def run(self) -> Outcome:
        """Return what is there in the end; raise TimeoutError if it does not come to an end."""
        self._deadline = time.monotonic() + TRIAL_SECONDS
        self.world.reset()
        for fault in self.plan.faults:
            self.world.fault(fault)
        self._at_work = [self._runs.start() for _ in range(self.plan.at_once)]
        try:
            for blow in self.plan.blows:
                if self._moment_of(blow):
                    self._strike(blow)
            for _ in self._ticks():
                self._look()
                # Of a run that was begun again Prefect may still hear that it crashed before.
                if self._is_complete and not self._at_work and not self.world.flows():
                    return self._outcome()
        finally:
            for run in self._at_work:
                self.world.strike(run.processes(), signal.SIGKILL)
        raise AssertionError

    def _outcome(self) -> Outcome:
        outcome = self.world.outcome()
        outcome.kills, outcome.attempts = self.kills + self.freezes, self.attempts
        outcome.faults, outcome.seed = self.world.faults_met(), self.seed
        return outcome

    # Runs

    def _look(self) -> None:
        """Begin again what has ended without being complete."""
        ended = [(run, state) for run in self._at_work if (state := run.end())]
        for run, state in ended:
            self.attempts.append(state)
            self._at_work.remove(run)
            self._is_complete |= state == "Completed"
            if state == ASIDE:
                self._rests_until = time.monotonic() + REST_SECONDS
            elif self._wants_more() and self.random.random() < 0.5:
                self._at_work.append(run.again())
        if len(self.attempts) - self.attempts.count(ASIDE) > self._most_attempts():
            raise AssertionError(f"It does not get done: {self.describe()}")
        if self._wants_more() and time.monotonic() > self._rests_until:
            self._at_work.append(self._runs.start())

    def _wants_more(self) -> bool:
        return not self._is_complete and len(self._at_work) < self.plan.at_once

    def _most_attempts(self) -> int:
        return ATTEMPTS_FOR_A_BLOW * (1 + len(self.kills) + len(self.freezes))

    # Blows

    def _moment_of(self, blow: Blow) -> bool:
        """Return whether the moment of a blow has come, and not the end before it."""
        began, happened_at, seen = time.monotonic(), None, self._hold(blow.event)
        for _ in self._ticks():
            self._look()
            if self._is_complete:
                return False
            if blow.event and happened_at is None:
                for event in self.world.events(seen, wait_seconds=0.2):
                    seen = event["seq"]
                    if event["kind"] == blow.event:
                        happened_at = time.monotonic()
                        break
            since = happened_at if blow.event else began
            if since is not None and time.monotonic() - since >= blow.seconds:
                return True
        raise AssertionError

    def _hold(self, event: str | None) -> int:
        """Hold an event, so that a blow falls into the middle; return the last one's number."""
        if event:
            with contextlib.suppress(httpx.HTTPError):
                pause = {"kind": "pause", "times": 1, "match": {"event": event}}
                self.world.fault({**pause, "seconds": HOLD_SECONDS})
        events = self.world.events(0)
        return int(events[-1]["seq"]) if events else 0

    def _strike(self, blow: Blow) -> None:
        victims = {name: found for name in blow.victims if (found := self._processes(name))}
        if not victims:
            return
        if blow.frozen:
            self.freezes += [f"{name} of: {blow}" for name in victims]
            self._freeze(victims, blow.frozen)
            return
        self.kills += [f"{name} of: {blow}" for name in victims]
        for processes in victims.values():
            self.world.strike(processes, signal.SIGKILL)
        time.sleep(self.random.uniform(0, 1))
        self.world.start_missing()

    def _freeze(self, victims: dict[str, list[psutil.Process]], seconds: float) -> None:
        """Let victims stand still, and somebody else go on; then let them go on, too."""
        for processes in victims.values():
            self.world.strike(processes, signal.SIGSTOP)
        try:
            if "flow" in victims:
                self._at_work.append(self._runs.start())
            until = time.monotonic() + seconds
            for _ in self._ticks():
                self._look()
                if time.monotonic() >= until:
                    break
        finally:
            for processes in victims.values():
                self.world.strike(processes, signal.SIGCONT)

    def _processes(self, victim: str) -> list[psutil.Process]:
        if victim != "flow":
            return self.world.processes(victim)
        found = [processes for run in self._at_work if (processes := run.processes())]
        return self.random.choice(found) if found else []

    def _ticks(self) -> Iterator[int]:
        return ticks(self._deadline, self.describe, 0.05)

    def describe(self) -> str:
        return f"{self.plan}; kills: {self.kills}, freezes: {self.freezes}, runs: {self.attempts}"
