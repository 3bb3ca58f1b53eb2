"""Everything that may happen to a user's rows and to the engine, in any order."""

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid5

import psycopg
import pytest
from engine_hand import NAME, SPACE
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from machine_hand import VERSIONS, Seen, World
from machine_reference import Act, Reference

from tasks.core.errors import BackfillError

IDS = [str(uuid5(SPACE, f"machine {number}")) for number in range(6)]
WORDS = ("amber", "birch", "cobalt", "dahlia", "ember")
TEXTS = [
    f"The {word} method was described early in the valley, and its use in practice took another"
    f" decade. Careful measurement of {word} samples shows where the simple model holds."
    for word in WORDS
]
BLANK = " "
one_id = st.sampled_from(IDS)
a_text = st.sampled_from(TEXTS)
any_text = st.sampled_from([*TEXTS, *TEXTS, BLANK, None])
SEED = int(os.environ.get("MACHINE_SEED", "1"))
WALKS = int(os.environ.get("MACHINE_WALKS", "100"))
EXPECTED = re.compile(
    "was rolled back on|A rollback of .* was begun|batch jobs of .* in flight|has nothing of"
    "|It does not pass"
)
"""What the engine may refuse to do: a person has to say something first."""


class Machine(RuleBasedStateMachine):
    """A user, a site, a service and the engine; every engine's step is held against the design."""

    world: World
    walks = moves = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.walks += 1
        self.world.begin_anew()
        self.reference = Reference(NAME, VERSIONS, IDS, [*TEXTS, BLANK, ""])
        self.last: dict[str, str | None] = {}
        self.before: dict[str, str | None] = {}

    def check_invariants(self, *given: Any, **named: Any) -> None:
        Machine.moves += 1
        super().check_invariants(*given, **named)

    # The user's rows

    @initialize(texts=st.lists(any_text, min_size=2, max_size=5))
    def some_rows(self, texts: list[str | None]) -> None:
        for target_id, text in zip(IDS, texts, strict=False):
            self.insert(target_id, text, "in")

    @rule(target_id=one_id, text=any_text, section=st.sampled_from(["in", "in", "out"]))
    def insert(self, target_id: str, text: str | None, section: str) -> None:
        if target_id not in self.last:
            self.world.insert(target_id, text, section)
            self.last[target_id] = text

    @rule(target_id=one_id, text=any_text)
    def edit(self, target_id: str, text: str | None) -> None:
        if target_id in self.last:
            self.before[target_id], self.last[target_id] = self.last[target_id], text
            self.world.sql(
                "update passages set passage_text = %(text)s where passage_id = %(id)s",
                text=text,
                id=target_id,
            )

    @rule(target_id=one_id)
    def edit_back(self, target_id: str) -> None:
        if target_id in self.before:
            self.edit(target_id, self.before[target_id])

    @rule(target_id=one_id)
    def delete(self, target_id: str) -> None:
        self.world.sql("delete from passages where passage_id = %(id)s", id=target_id)
        if target_id in self.last:
            self.before[target_id] = self.last.pop(target_id)

    @rule(target_id=one_id)
    def reinsert(self, target_id: str) -> None:
        self.insert(target_id, self.before.get(target_id), "in")

    @rule(target_id=one_id, text=any_text)
    def double(self, target_id: str, text: str | None) -> None:
        if target_id in self.last:
            self.world.insert(target_id, text, "in")

    @rule(target_id=one_id, other=one_id)
    def twin(self, target_id: str, other: str) -> None:
        if other in self.last:
            self.edit(target_id, self.last[other])

    @rule(target_id=one_id, section=st.sampled_from(["in", "out"]))
    def move(self, target_id: str, section: str) -> None:
        self.world.sql(
            "update passages set section = %(section)s where passage_id = %(id)s",
            section=section,
            id=target_id,
        )

    # The rows in the target's table

    @rule(target_id=one_id, version=st.sampled_from([*VERSIONS, "llm_v2"]))
    def foreign(self, target_id: str, version: str) -> None:
        self.world.sql(
            "insert into passage_concepts (passage_id, concept_name, extractor_model,"
            " extractor_version) values (%(id)s, 'theirs', 'm', %(version)s)"
            " on conflict do nothing",
            id=target_id,
            version=version,
        )

    @rule(target_id=one_id, version=st.sampled_from(VERSIONS), most=st.sampled_from([1, 100]))
    def delete_rows(self, target_id: str, version: str, most: int) -> None:
        self.world.sql(
            "delete from passage_concepts where ctid in (select ctid from passage_concepts where"
            " passage_id = %(id)s and extractor_version = %(version)s order by concept_name"
            " limit %(most)s)",
            id=target_id,
            version=version,
            most=most,
        )

    @rule(target_id=one_id, version=st.sampled_from(VERSIONS))
    def correct(self, target_id: str, version: str) -> None:
        with suppress(psycopg.errors.CheckViolation):  # the table refuses them by now
            self.world.sql(
                "update passage_concepts set concept_type = 'by_hand' where passage_id = %(id)s"
                " and extractor_version = %(version)s",
                id=target_id,
                version=version,
            )

    @rule(version=st.sampled_from(VERSIONS))
    def roll_back_as_the_seeds_do(self, version: str) -> None:
        self.world.sql(
            "delete from passage_concepts where extractor_version = %(version)s", version=version
        )

    # The site, the service, the table's rules

    @rule()
    def narrow_or_widen(self) -> None:
        self.world.as_site(self.world.version, is_narrow=not self.world.is_narrow)

    @rule()
    def bump(self) -> None:
        [other] = {*VERSIONS} - {self.world.version}
        self.world.as_site(other, is_narrow=self.world.is_narrow)

    @rule(
        word=st.sampled_from(WORDS),
        kind=st.sampled_from(["not_json", "safety", "missing_line", "error_line"]),
        times=st.integers(1, 4),
    )
    def bad_answers(self, word: str, kind: str, times: int) -> None:
        self.world.engine.fault(kind, match={"text": f"The {word} "}, times=times)

    @rule(kind=st.sampled_from(["failed", "expired", "create_then_drop"]), times=st.integers(1, 5))
    def bad_jobs(self, kind: str, times: int) -> None:
        self.world.engine.fault(kind, times=times)

    @rule()
    def good_answers(self) -> None:
        self.world.engine.no_faults()

    @rule(word=st.sampled_from(WORDS))
    def refuse(self, word: str) -> None:
        self.world.refuse(word)
        self.reference.refusable |= {text for text in TEXTS if word in text}

    @rule()
    def allow(self) -> None:
        self.world.allow()

    # The engine

    def done(self, before: Seen, said: Any, **what: Any) -> None:
        """Hold what the engine did against the design; what it refuses to do must be expected."""
        if isinstance(said, BackfillError):
            assert EXPECTED.search(str(said)), repr(said)
        act = Act(**{"version": self.world.version, **what})
        self.reference.check(before, self.world.look(), act)

    @rule(
        kind=st.sampled_from(["pilot", "full", "incremental"]),
        limit=st.none() | st.integers(1, 4),
        slice_size=st.integers(1, 4),
        fresh=st.booleans(),
    )
    def run(self, kind: str, limit: int | None, slice_size: int, *, fresh: bool) -> None:
        self.time_passes()
        before = self.world.look()
        said = self.world.run(kind=kind, limit=limit, slice_size=slice_size, fresh=fresh)
        self.done(before, said)

    @rule(slice_size=st.integers(1, 4))
    def run_in_full_with_nothing_in_the_way(self, slice_size: int) -> None:
        """Run twice: a twin of what is planned and not there any more is asked by the second."""
        self.world.engine.no_faults()
        self.time_passes()
        before = self.world.look()
        said = self.world.run(slice_size=slice_size)
        self.done(before, said)
        if isinstance(said, BackfillError):
            return
        first = self.world.look()
        self.done(first, self.world.run(slice_size=slice_size), is_full=True)
        now = self.world.look()
        assert first.wants or (now.rows, now.paid) == (first.rows, first.paid)

    @rule(
        kind=st.sampled_from(["pilot", "full"]),
        limit=st.none() | st.integers(1, 4),
        slice_size=st.integers(1, 4),
        fresh=st.booleans(),
        moment=st.integers(1, 90),
        how=st.sampled_from(["kill", "cancel"]),
        is_slow=st.booleans(),
    )
    def run_until(self, moment: int, how: str, *, is_slow: bool, **options: Any) -> None:
        if not is_slow:
            self.time_passes()
        else:
            self.world.engine.set(run_seconds=60.0)
        before = self.world.look()
        self.done(before, self.world.run(moment, how, **options))

    @rule()
    def time_passes(self) -> None:
        self.world.let_jobs_end()

    @rule(cancel_jobs=st.booleans())
    def stop(self, *, cancel_jobs: bool) -> None:
        before = self.world.look()
        self.done(before, self.world.stop(cancel_jobs=cancel_jobs))

    @rule(
        version=st.sampled_from(VERSIONS),
        cancel_jobs=st.booleans(),
        also_edited=st.booleans(),
        moment=st.none() | st.integers(1, 12),
    )
    def roll_back(self, version: str, moment: int | None, **ticks: bool) -> None:
        before = self.world.look()
        said = self.world.roll_back(version, moment, **ticks)
        self.done(before, said, version=version, is_rollback=True, also_edited=ticks["also_edited"])

    @rule(version=st.sampled_from(VERSIONS), moment=st.none() | st.integers(1, 8))
    def restore(self, version: str, moment: int | None) -> None:
        before = self.world.look()
        said = self.world.restore(version, moment)
        is_restore = said is not None and version == self.world.version
        self.done(before, said, version=version, is_restore=is_restore)

    @rule()
    def redrive(self) -> None:
        before = self.world.look()
        self.done(before, self.world.redrive())


def play(machine: Any, world: World, walks: int, steps: int, *, is_fixed: bool) -> str:
    """Try so many walks; return what they came to."""
    machine.world, began = world, time.monotonic()
    chosen = settings(
        max_examples=walks,
        stateful_step_count=steps,
        derandomize=is_fixed,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    run_state_machine_as_test(machine if is_fixed else seed(SEED)(machine), settings=chosen)
    return f"seed {SEED}, {world.flows} flows, {time.monotonic() - began:.0f} s"


def test_whatever_happens_a_few_times_over(world: World) -> None:
    play(Machine, world, 5, steps=12, is_fixed=True)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_whatever_happens_many_times_over(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    said = play(Machine, world, WALKS, steps=30, is_fixed=False)
    record_property(
        "machine", f"Machine: {said} for {Machine.moves} steps in {Machine.walks} walks"
    )
