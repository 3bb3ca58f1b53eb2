"""Many missing rows wait for a person, although it is free to write them again."""

from collections.abc import Callable
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine, sample_text

import tasks.planning.approval
from tasks.core import restoring
from tasks.core.restoring import Waiting
from tasks.planning.approval_form import Approval
from tasks.planning.dry_run import look
from tasks.planning.estimate import estimate_page
from tasks.planning.plan import PlanOptions


@pytest.mark.parametrize(
    ("waiting", "is_many"),
    [
        (Waiting(5000, 1000, 1000), False),
        (Waiting(1001, 1001, 1001), True),
        (Waiting(1001, 1001, 20_020), False),
        (Waiting(2000, 2000, 10_000), True),
    ],
)
def test_more_than_a_thousand_and_five_percent_are_many(
    waiting: Waiting,
    is_many: bool,  # noqa: FBT001 - a case
) -> None:
    assert waiting.is_many == is_many


Answer = Callable[..., list[str]]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return what lets a person answer the form; it returns the questions they were asked."""

    def let(**said: Any) -> list[str]:
        asked: list[str] = []

        async def ask(form: type[Approval], seconds: int) -> Approval:
            asked.append(str(form._description))
            return form(**said)

        async def taken() -> None:
            return None

        monkeypatch.setattr(tasks.planning.approval, "ask", ask)
        monkeypatch.setattr(tasks.planning.approval, "taken", taken)
        return asked

    return let


def bill(engine: Engine) -> Any:
    return engine.http.get("/bill").json()["totals"]["requests"]


def test_many_missing_rows_are_written_only_after_a_yes_that_money_does_not_give(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setattr(restoring, "MANY", 10)
    engine.load(*[sample_text(number) for number in range(30)], sample_text(3))
    dry = look(NAME, PlanOptions(kind="full"), "batch").estimate
    ways, _ = estimate_page(NAME, dry, 0.0).split("\n\nA line `model")
    assert ways.splitlines()[-1].startswith("| in all of them |")
    assert "| 1 of 31 texts are repeats, and get" in ways
    engine.summary()
    first, asked = engine.rows(), bill(engine)
    delete = "delete from passage_concepts where extractor_version = %(v)s and passage_id = any("
    ids = sorted({row["row"]["passage_id"] for row in first})
    engine.sql(delete + "%(ids)s::uuid[])", v=VERSION, ids=ids[:10])
    assert "10 restored" in engine.summary(), "few come back by themselves"
    engine.sql(delete + "%(ids)s::uuid[])", v=VERSION, ids=ids[:20])
    left = engine.rows()

    dry = look(NAME, PlanOptions(kind="full"), "batch").estimate
    assert "| Restored from kept answers, 0 USD | 20 |" in estimate_page(NAME, dry, 0.0)

    questions = answer(refuse=True)
    refused = engine.run()
    assert (refused.name, engine.rows()) == ("Refused", left)
    assert "20 of 31 targets lack their rows although the answers are kept" in questions[0]
    engine.insert("00000000-0000-0000-0000-0000000000aa", sample_text(99))
    answer(approve_up_to_usd=0.0)
    assert engine.run(approve_up_to_usd=0.0).name == "Refused", "money is to be spent"
    assert engine.rows() == left
    answer(approve_up_to_usd=1.0)
    said = engine.summary()

    assert "20 restored from kept answers, 0 USD" in said
    assert [row for row in engine.rows() if row in first] == first
    assert bill(engine) == asked + 1

    engine.sql(delete + "%(ids)s::uuid[])", v=VERSION, ids=ids)
    answer(refuse=True)
    assert "31 restored" in engine.summary(restore_many=True), "the tick is a yes"
    assert engine.summary() == "Nothing to do."
