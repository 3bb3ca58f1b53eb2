"""Whatever stands in a job's output: each target gets one end, whatever the lines say."""

import pytest
from engine_hand import Engine, sample_text

HARMLESS = (
    "duplicate_key",
    "unknown_key",
    "blank_line",
    "fenced",
    "prose",
    "thoughts",
    "no_usage",
    "partial_usage",
    "invented_quotes",
    "restyled_quotes",
    "reworded_quotes",
)
SPOILING = {
    "missing_line": {"bad: missing"},
    "bad_byte": {"bad: unreadable", "bad: missing"},  # the key itself may be hit
    "recitation": {"bad: recitation"},
    "empty_text": {"bad: no_content"},
    "not_json": {"bad: not_json"},
    "wrong_types": {"bad: wrong_shape"},
    "truncated": {"written"},  # what could be read of it, at the last try
}
REFUSED = {"safety": "bad: safety", "prompt_blocked": "bad: blocked"}


def strike(engine: Engine, kind: str, number: int, **more: object) -> None:
    """Let a kind of fault befall one passage."""
    engine.fault(kind, match={"text": f"Chapter {number} deals"}, **more)


def test_trouble_that_spoils_nothing_costs_no_second_request(engine: Engine) -> None:
    engine.load_samples(len(HARMLESS))
    engine.fault("shuffled_lines")
    for number, kind in enumerate(HARMLESS):
        strike(engine, kind, number)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": len(HARMLESS)}
    assert engine.calls("batches.create") == 1


def test_spoiled_answers_are_asked_again_and_bad_at_the_limit(engine: Engine) -> None:
    ids = engine.load_samples(len(SPOILING) + 1)
    for number, kind in enumerate(SPOILING):
        strike(engine, kind, number)

    engine.summary()

    engine.check(salvaged=1)
    ends = engine.ends_by_target()
    sizes = [row["request_count"] for row in engine.slices()]
    for passage_id, (kind, expected) in zip(ids, SPOILING.items(), strict=False):
        assert ends[passage_id] in expected, kind
    assert ends[ids[-1]] == "written"
    assert sizes == [len(SPOILING) + 1, len(SPOILING), len(SPOILING)]


def test_answers_that_were_spoiled_once_are_written_by_the_retry_round(engine: Engine) -> None:
    engine.load_samples(len(SPOILING) + 1)
    for number, kind in enumerate(SPOILING):
        strike(engine, kind, number, times=1)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": len(SPOILING) + 1}
    assert [row["request_count"] for row in engine.slices()] == [len(SPOILING) + 1, len(SPOILING)]


def test_what_is_refused_for_its_content_is_not_asked_again(engine: Engine) -> None:
    engine.load_samples(5)
    for number, kind in enumerate(REFUSED):
        strike(engine, kind, number)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 3, "bad: safety": 1, "bad: blocked": 1}
    assert engine.calls("batches.create") == 1


def test_a_bad_generation_keeps_its_raw_answer_for_a_person_to_read(engine: Engine) -> None:
    engine.load_samples(1)
    engine.fault("not_json")

    engine.summary()

    [bad] = engine.generations()
    assert bad["raw"].startswith("I am sorry")
    assert bad["attempts"] == 3


def test_no_answer_is_lost_to_a_line_of_50_mb(engine: Engine) -> None:
    engine.load_samples(5)
    strike(engine, "huge_line", 2, times=1)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 5}


def test_an_answer_that_was_cut_off_is_asked_again_with_a_larger_limit(engine: Engine) -> None:
    engine.load_samples(5)
    strike(engine, "max_tokens", 2, needs=4096)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 5}
    assert [row["max_output_tokens"] for row in engine.slices()] == [None, 4096]


def test_an_answer_without_any_item_is_an_end_and_never_asked_again(engine: Engine) -> None:
    engine.load_samples(5)
    strike(engine, "no_items", 2)

    engine.summary()
    again = engine.summary()

    engine.check()
    assert engine.ends() == {"written": 4, "empty": 1}
    assert again == "Nothing to do."
    assert engine.calls("batches.create") == 1


@pytest.mark.long
def test_the_field_s_own_mixture_of_trouble_leaves_every_target_with_one_end(
    engine: Engine,
) -> None:
    engine.load(*map(sample_text, range(1000)))
    engine.set(trouble=3.0)

    engine.summary()

    engine.check(salvaged=1000)
    assert engine.ends().total() == 1000
    assert engine.ends()["written"] > 800
