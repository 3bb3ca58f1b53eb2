"""`make chaos`: seeded trials of kills and freezes, which add up in bench/chaos.md."""

import argparse
import os
import queue
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
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

    def __init__(self, worlds: list[World], seeds: str) -> None:
        self.call = Call(at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}", seeds=seeds)
        self._all_worlds = worlds
        self._worlds: queue.SimpleQueue[tuple[World, Outcome]] = queue.SimpleQueue()
        for world in worlds:
            self._worlds.put((world, Trial(world, 0, Plan((), (), "process")).run()))

    def run(self, *, is_kept: bool) -> None:
        """Try all seeds, the dear ones last, in as many worlds as there are."""
        plans = {seed: Plan.of_campaign(seed) for seed in seeds_of(self.call.seeds)}
        paths = [path for path, _ in PATHS]
        order = sorted(plans, key=lambda seed: paths.index(plans[seed].through))
        with ThreadPoolExecutor(self._worlds.qsize()) as pool:
            futures = [pool.submit(self._try, seed, plans[seed]) for seed in order]
            try:
                for future in as_completed(futures):
                    self.call.add(future.result())
                    self.note_costs()
                    if is_kept:
                        keep(self.call)
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                raise

    def note_costs(self) -> None:
        """Note the seconds of CPU of this process, and of all that it started and that ended."""
        warm = psutil.Process(forkserver._forkserver._forkserver_pid).cpu_times()
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        ours = sum(each.ru_utime + each.ru_stime for each in own)
        self.call.cpu = sum(warm[:4]) + ours + sum(world.spent for world in self._all_worlds)

    def _try(self, seed: int, plan: Plan) -> Call:
        world, undisturbed = self._worlds.get()
        try:
            return self._trial(world, undisturbed, seed, plan)
        finally:
            self._worlds.put((world, undisturbed))

    def _trial(self, world: World, undisturbed: Outcome, seed: int, plan: Plan) -> Call:
        began = time.monotonic()
        pooled = plan.pooled and has_bouncer()
        world.run_only("postgres", "emulator", *PARTS[plan.through], *["pgbouncer"] * pooled)
        trial = Trial(world, seed, plan)
        found = Call(trials=1, two_at_once=plan.at_once > 1, pooled=pooled)
        found.on_workers = plan.through in {"worker", "workers"}
        try:
            _compare(world, trial.run(), undisturbed, trial, found)
        except Exception:  # noqa: BLE001 - whatever it is, the next seed is tried
            found.unfinished = 1
            _note(world, trial, traceback.format_exc())
        found.kills.update(said.split()[0] for said in trial.kills)
        found.freezes.update(said.split()[0] for said in trial.freezes)
        struck = f"{found.kills.total()} kills, {found.freezes.total()} freezes"
        took = f"{time.monotonic() - began:.0f} s"
        print(f"{seed} {plan.through}, {took}: {struck}; {trial.attempts}", flush=True)
        return found


def _compare(
    world: World, outcome: Outcome, undisturbed: Outcome, trial: Trial, found: Call
) -> None:
    different = outcome.different(undisturbed)
    found.faults, found.rows = outcome.faults, len(outcome.rows)
    found.twice, found.lost = outcome.paid_twice, outcome.lost(undisturbed)
    found.different = len(different)
    if different:
        _note(world, trial, str(different))


def _note(world: World, trial: Trial, said: str) -> None:
    """Keep what a failed trial left behind, for whoever looks for the cause."""
    FAILED.mkdir(parents=True, exist_ok=True)
    events = "\n".join(map(str, world.events(0)))
    with world.connect() as connection:
        slices = connection.execute("select * from backfill.slices order by slice_id").fetchall()
    parts = [said, trial.describe(), events, "\n".join(map(str, slices)), world.log.read_text()]
    (FAILED / f"{trial.seed}.txt").write_text("\n\n".join(parts))
    print(f"{trial.seed} FAILED: {said[-500:]}", flush=True)


def seeds_of(text: str) -> list[int]:
    """Return the seeds of "5,9,40-60"."""
    parts = [part.partition("-") for part in text.split(",")]
    return [seed for first, _, last in parts for seed in range(int(first), int(last or first) + 1)]


@contextmanager
def worlds_of(count: int) -> Iterator[list[World]]:
    """Yield so many worlds; they are gone afterwards, with all that they left on disk."""
    plain = {name: value for name, value in os.environ.items() if name not in USERS_OWN}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backfill-chaos-")))
        place.chmod(0o711)  # Postgres's own account has to enter
        homes = [place / str(number) for number in range(count)]
        yield [stack.enter_context(bare_world(home, plain, SIZE, SLICE_SIZE)) for home in homes]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-100")
    parser.add_argument("--worlds", type=int, default=2, help="how many trials at once")
    parser.add_argument("--try", dest="is_kept", action="store_false", help="keep no result")
    return parser.parse_args()


def main() -> None:
    given = options()
    if not has_bouncer():
        print("PgBouncer is not installed (apt install pgbouncer): its trials do without it.")
    with worlds_of(given.worlds) as worlds:
        campaign = Campaign(worlds, given.seeds)
        campaign.run(is_kept=given.is_kept)
    campaign.note_costs()
    if given.is_kept:
        keep(campaign.call)
        tell(SIZE, SLICE_SIZE)
    print(campaign.call.line(given.seeds))
    sys.exit(campaign.call.is_bad)


if __name__ == "__main__":
    main()
