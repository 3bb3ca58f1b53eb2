"""What the machine found, each by the shortest way to it."""

import pytest
from machine_hand import VERSIONS, World
from test_machine import IDS, TEXTS, Machine


@pytest.fixture
def machine(world: World) -> Machine:
    Machine.world = world
    one = Machine()
    one.some_rows(TEXTS[:3])
    return one


def full(machine: Machine) -> None:
    machine.run_in_full_with_nothing_in_the_way(slice_size=4)


def test_a_rollback_that_cancels_jobs_leaves_those_that_have_ended_to_be_collected(
    machine: Machine,
) -> None:
    machine.run_until(60, "kill", is_slow=True, kind="full", limit=None, slice_size=4, fresh=False)
    machine.time_passes()

    said = machine.world.roll_back(VERSIONS[0], None, cancel_jobs=True, also_edited=False)
    full(machine)

    assert "run the backfill to collect them first" in str(said)
    assert len(machine.world.look().paid) == 3


def test_a_rollback_killed_at_any_moment_loses_no_target_of_a_cancelled_job(
    machine: Machine,
) -> None:
    machine.run_until(60, "kill", is_slow=True, kind="full", limit=None, slice_size=4, fresh=False)
    for moment in range(4, 14, 2):
        machine.roll_back(VERSIONS[0], moment, cancel_jobs=True, also_edited=False)
    machine.restore(VERSIONS[0], None)

    full(machine)

    assert len(machine.world.look().rows) == 3


def test_what_was_answered_badly_before_a_rollback_is_asked_again_after_it(
    machine: Machine,
) -> None:
    machine.bad_answers("amber", "safety", 1)
    machine.run("full", None, 4, fresh=False)
    machine.roll_back(VERSIONS[0], None, cancel_jobs=False, also_edited=False)
    machine.restore(VERSIONS[0], None)

    full(machine)

    assert len(machine.world.look().rows) == 3


def test_a_text_that_another_row_is_bad_for_without_an_answer_waits_for_that_row(
    machine: Machine,
) -> None:
    machine.bad_answers("amber", "missing_line", 4)
    machine.run("full", None, 4, fresh=False)
    machine.good_answers()
    machine.insert(IDS[4], TEXTS[0], "in")
    machine.time_passes()

    machine.run("full", None, 4, fresh=False)

    assert len(machine.world.look().rows) == 2


def test_a_text_that_another_row_was_bad_for_waits_for_that_and_no_longer(
    machine: Machine,
) -> None:
    machine.bad_answers("amber", "safety", 1)
    machine.run("full", None, 4, fresh=False)
    machine.insert(IDS[5], TEXTS[0], "in")
    machine.run("full", None, 4, fresh=False)
    assert (VERSIONS[0], IDS[5]) not in machine.world.look().rows

    machine.edit(IDS[0], TEXTS[4])
    machine.redrive()
    full(machine)

    assert (VERSIONS[0], IDS[5]) in machine.world.look().rows


def test_rows_that_others_wrote_are_left_also_where_an_earlier_text_was_asked(
    machine: Machine,
) -> None:
    machine.bad_answers("amber", "safety", 1)
    machine.run("full", None, 4, fresh=False)
    machine.foreign(IDS[0], VERSIONS[0])
    machine.edit(IDS[0], TEXTS[4])

    full(machine)

    [theirs] = machine.world.look().rows[VERSIONS[0], IDS[0]]
    assert theirs["concept_name"] == "theirs"


def test_once_corrected_rows_are_deleted_the_answer_that_was_kept_from_them_is_written(
    machine: Machine,
) -> None:
    full(machine)
    machine.correct(IDS[0], VERSIONS[0])
    machine.edit(IDS[0], TEXTS[4])
    full(machine)
    machine.delete_rows(IDS[0], VERSIONS[0], 100)

    full(machine)

    assert (VERSIONS[0], IDS[0]) in machine.world.look().rows


def test_jobs_of_another_version_are_collected_once_the_site_names_it_again(
    machine: Machine,
) -> None:
    machine.run_until(60, "kill", is_slow=True, kind="full", limit=None, slice_size=4, fresh=False)
    machine.bump()
    full(machine)
    machine.bump()

    full(machine)

    assert len(machine.world.look().paid) == 6


def texts_of_rows(machine: Machine, target_id: str) -> set[str]:
    rows = machine.world.look().rows.get((VERSIONS[0], target_id), [])
    return {row["evidence"]["source_text"] for row in rows}


def test_rows_of_an_older_text_go_when_the_new_one_is_blank(machine: Machine) -> None:
    full(machine)
    machine.edit(IDS[0], " ")

    full(machine)

    assert texts_of_rows(machine, IDS[0]) == set()


def test_rows_of_an_older_text_go_when_no_job_answers_the_new_one(machine: Machine) -> None:
    full(machine)
    machine.edit(IDS[0], TEXTS[4])
    machine.bad_jobs("failed", 5)
    machine.world.run()

    assert texts_of_rows(machine, IDS[0]) == set()


def test_a_row_is_asked_although_a_planned_one_of_its_text_is_not_there_any_more(
    machine: Machine,
) -> None:
    machine.run_until(20, "kill", is_slow=True, kind="full", limit=None, slice_size=4, fresh=False)
    machine.edit(IDS[0], TEXTS[4])
    machine.insert(IDS[5], TEXTS[0], "in")
    machine.time_passes()
    machine.world.run()

    assert texts_of_rows(machine, IDS[5]) == {TEXTS[0]}


def test_rows_that_others_wrote_between_plan_and_answer_are_left_alone(machine: Machine) -> None:
    machine.run_until(20, "kill", is_slow=True, kind="full", limit=None, slice_size=4, fresh=False)
    machine.foreign(IDS[0], VERSIONS[0])
    machine.time_passes()
    machine.world.run()

    assert len(machine.world.look().rows[VERSIONS[0], IDS[0]]) == 1


def test_rows_of_a_text_stay_where_another_row_of_its_id_is_bad(machine: Machine) -> None:
    full(machine)
    machine.refuse("birch")
    machine.edit(IDS[0], next(text for text in TEXTS if "birch" in text))
    full(machine)
    machine.double(IDS[0], TEXTS[0])

    full(machine)

    assert texts_of_rows(machine, IDS[0]) == {TEXTS[0]}
