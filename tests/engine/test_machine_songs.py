"""CSVs that change, change places and come back, with runs that are killed, in any order."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from machine_hand import World
from songs_hand import generated, is_answered, originals, read_csv, sample, write_csv
from test_machine import WALKS, play

NAME = "songs"
SONGS = sample(6)
FILES = ("a.csv", "b.csv")
some_songs = st.lists(st.sampled_from(range(len(SONGS))), min_size=1, max_size=5)


class SongsMachine(RuleBasedStateMachine):
    """A person with two files, and the engine; answers are bought once, and never change."""

    world: World
    place: Path

    def __init__(self) -> None:
        super().__init__()
        self.world.begin_anew()
        self.files: dict[str, list[Any]] = {}
        self.came_in: dict[str, list[Any]] = {}
        self.questions: dict[str, str] = {}
        self.learned: dict[Any, Any] = {}

    @initialize(songs=some_songs)
    def first_file(self, songs: list[int]) -> None:
        self.write(FILES[0], songs, 0)

    @rule(name=st.sampled_from(FILES), songs=some_songs, chance=st.integers(0, 9))
    def write(self, name: str, songs: list[int], chance: int) -> None:
        rows = [SONGS[number] for number in songs]
        random.Random(chance).shuffle(rows)
        self.files[name] = rows
        write_csv(self.place / name, rows)

    @rule()
    def swap(self) -> None:
        if len(self.files) == len(FILES):
            first, second = (self.files[name] for name in FILES)
            for name, rows in zip(FILES, (second, first), strict=True):
                self.files[name] = rows
                write_csv(self.place / name, rows)

    @rule(
        name=st.sampled_from(FILES),
        moment=st.none() | st.none() | st.integers(1, 90),
        slice_size=st.integers(1, 4),
        is_slow=st.booleans(),
        fresh=st.booleans(),
    )
    def run(
        self, name: str, moment: int | None, slice_size: int, *, is_slow: bool, fresh: bool
    ) -> None:
        if name not in self.files:
            return
        self.world.let_jobs_end()
        self.world.engine.set(run_seconds=60.0 if is_slow and moment else 0.0)
        out = self.place / "out.csv"
        said = self.world.run(
            moment,
            name=NAME,
            csv_in=str(self.place / name),
            csv_out=str(out),
            slice_size=slice_size,
            fresh=fresh,
        )
        self.paid_once()
        if said is not None:
            assert said.is_completed(), said
            self.goes_out(out, self.files[name])

    def paid_once(self) -> None:
        for row in self.world.sql("select doc_id, content_hash from backfill.generations"):
            self.questions[str(row["doc_id"])] = str(row["content_hash"])
        times: Counter[str] = Counter()
        for key, count in self.world.engine.billed().items():
            times[self.questions[key]] += count
        assert set(times.values()) <= {1}, times

    def goes_out(self, out: Path, rows: list[Any]) -> None:
        """Every row has its cells and its answer, which is the same for ever."""
        _, merged = read_csv(out)
        assert originals(merged) == rows
        assert all(map(is_answered, merged))
        for row, answer in zip(rows, generated(merged), strict=True):
            assert self.learned.setdefault(row[:2], answer) == answer


def test_files_that_change_places_a_few_times_over(world: World, tmp_path: Path) -> None:
    SongsMachine.place = tmp_path
    play(SongsMachine, world, 4, steps=8, is_fixed=True)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_files_that_change_places_many_times_over(world: World, tmp_path: Path) -> None:
    SongsMachine.place = tmp_path
    play(SongsMachine, world, WALKS // 4, steps=20, is_fixed=False)
