"""Whose fault a refusal is, told by what the model answers others."""

from uuid import UUID

from tasks.core.models import Member
from tasks.core.suspects import ALIKE, Suspect, Suspects


def suspect(number: int, model: str = "m", said: str = "no") -> Suspect:
    return Suspect(Member(UUID(int=number), str(number), UUID(int=number)), model, said)


def test_equal_refusals_are_counted_until_the_model_answers() -> None:
    suspects = Suspects()

    counts = [suspects.hold(suspect(number)) for number in range(3)]
    other = suspects.hold(suspect(3, said="another reason"))
    guilty = suspects.answered("m")
    after = suspects.hold(suspect(4))

    assert (counts, other, after) == ([1, 2, 3], 1, 1)
    assert [each.member.target_id for each in guilty] == ["0", "1", "2", "3"]
    assert ALIKE == 10


def test_one_model_s_answer_says_nothing_of_another_s_refusals() -> None:
    suspects = Suspects()
    suspects.hold(suspect(1, "answers"))
    suspects.hold(suspect(2, "vectors"))

    guilty = suspects.answered("vectors")

    assert [each.model for each in guilty] == ["vectors"]
    assert [each.model for each in suspects.unclear()] == ["answers"]
    assert [each.model for each in suspects.rest()] == ["answers"]
    assert suspects.rest() == []


def test_a_late_refusal_of_a_model_that_answers_is_clear() -> None:
    suspects = Suspects()
    suspects.answered("m")
    suspects.hold(suspect(1))

    assert suspects.unclear() == []
    assert len(suspects.rest()) == 1
