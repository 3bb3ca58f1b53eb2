"""`make chaos`: seeded trials of kills and freezes, which add up in bench/chaos.md."""

import argparse
import os
import queue
import resource
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from datetime import UTC, datetime
from multiprocessing import forkserver
from pathlib import Path

import psutil
from campaign_book import Call, keep, tell
from chaos_ground import Outcome
from chaos_plan import PARTS, PATHS, Plan
from chaos_trial import Trial
from chaos_world import World, bare_world, has_bouncer

SIZE, SLICE_SIZE = 120, 20
USERS_OWN = (
    "BACKFILL_DATABASE_URL",
    "PREFECT_API_URL",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "PYTHONPATH",  # ours, not a worker's
)
FAILED = Path(__file__).parents[2] / ".local" / "chaos"


class Campaign:
    """The worlds of one call, and what their trials came to so far."""

    def __init__(self, worlds: list[World]) -> None:
        self.call = Call(at=f"{datetime.now(UTC):%Y-%m-%d}")
        self._worlds: queue.SimpleQueue[tuple[World, Outcome]] = queue.SimpleQueue()
        for world in worlds:
            self._worlds.put((world, Trial(world, 0, Plan((), (), "process")).run()))

    def run(self, seeds: list[int]) -> None:
        """Try all seeds, the dear ones last, in as many worlds as there are."""
        plans = {seed: Plan.of_campaign(seed) for seed in seeds}
        paths = [path for path, _ in PATHS]
        order = sorted(seeds, key=lambda seed: paths.index(plans[seed].through))
        with ThreadPoolExecutor(self._worlds.qsize()) as pool:
            futures = [pool.submit(self._try, seed, plans[seed]) for seed in order]
            for future in as_completed(futures):
                self.call.add(future.result())

    def _try(self, seed: int, plan: Plan) -> Call:
        world, undisturbed = self._worlds.get()
        try:
            return self._trial(world, undisturbed, seed, plan)
        finally:
            self._worlds.put((world, undisturbed))

    def _trial(self, world: World, undisturbed: Outcome, seed: int, plan: Plan) -> Call:
        began = time.monotonic()
        parts = {"postgres", "emulator", *PARTS[plan.through]}
        world.run_only(*parts, *(["pgbouncer"] if plan.pooled and has_bouncer() else []))
        trial = Trial(world, seed, plan)
        found = Call(trials=1, two_at_once=plan.at_once > 1, pooled=plan.pooled and has_bouncer())
        found.on_workers = plan.through in {"worker", "workers"}
        try:
            outcome = trial.run()
        except Exception:  # noqa: BLE001 - whatever it is, the next seed is tried
            found.unfinished = 1
            _note(world, seed, traceback.format_exc(), trial.describe())
        else:
            different = outcome.different(undisturbed)
            found.faults, found.rows = outcome.faults, len(outcome.rows)
            found.twice, found.lost = outcome.paid_twice, outcome.lost(undisturbed)
            found.different = len(different)
            if different:
                _note(world, seed, str(different), trial.describe())
        found.kills.update(said.split()[0] for said in trial.kills)
        found.freezes.update(said.split()[0] for said in trial.freezes)
        said = "  ".join(trial.attempts)
        print(
            f"{seed} {plan.through} {time.monotonic() - began:.0f} s: {found.kills.total()} kills,"
            f" {found.freezes.total()} freezes; {said}",
            flush=True,
        )
        return found


def _note(world: World, seed: int, *said: str) -> None:
    """Keep what a failed trial left behind, for whoever looks for the cause."""
    FAILED.mkdir(parents=True, exist_ok=True)
    events = "\n".join(map(str, world.events(0)))
    with world.connect() as connection:
        slices = connection.execute("select * from backfill.slices order by slice_id").fetchall()
    text = "\n\n".join([*said, events, "\n".join(map(str, slices)), world.log.read_text()])
    (FAILED / f"{seed}.txt").write_text(text)
    print(f"{seed} FAILED: {said[0][-500:]}", flush=True)


def seeds_of(text: str) -> list[int]:
    """Return the seeds of "5,9,40-60"."""
    parts = [part.partition("-") for part in text.split(",")]
    return [seed for first, _, last in parts for seed in range(int(first), int(last or first) + 1)]


def spent(worlds: list[World]) -> float:
    """Return the seconds of CPU of this process, and of all that it started and that ended."""
    warm = psutil.Process(forkserver._forkserver._forkserver_pid).cpu_times()
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return (
        sum(warm[:4])
        + sum(each.ru_utime + each.ru_stime for each in own)
        + sum(world.spent for world in worlds)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-100")
    parser.add_argument("--worlds", type=int, default=2, help="how many trials at once")
    parser.add_argument(
        "--try", dest="only_try", action="store_true", help="do not keep the result"
    )
    given = parser.parse_args()
    if not has_bouncer():
        print("PgBouncer is not installed (apt install pgbouncer): its trials do without it.")
    plain = {name: value for name, value in os.environ.items() if name not in USERS_OWN}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backfill-chaos-")))
        place.chmod(0o711)
        worlds = []
        with ExitStack() as running:
            for number in range(given.worlds):
                world = bare_world(place / str(number), plain, SIZE, SLICE_SIZE)
                worlds.append(running.enter_context(world))
            campaign = Campaign(worlds)
            campaign.run(seeds_of(given.seeds))
        campaign.call.seeds, campaign.call.cpu = given.seeds, spent(worlds)
    print(campaign.call.line(given.seeds))
    if not given.only_try:
        tell(keep(campaign.call), SIZE, SLICE_SIZE)
    bad = campaign.call
    sys.exit(1 if bad.twice or bad.lost or bad.different or bad.unfinished else 0)


if __name__ == "__main__":
    main()
