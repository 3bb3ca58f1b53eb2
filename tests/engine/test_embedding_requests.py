"""What is sent for a vector: in which form, and of how much of a text."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from engine_hand import Engine, configure
from test_job_enrichment import NAME, _load

from tasks import backfills
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.core.cutting import cut, tokens
from tasks.slices.requests import version_digest

TRANSPORTS = ("batch", "interactive")
ASKED = {"outputDimensionality": 768, "taskType": "RETRIEVAL_DOCUMENT"}
FORMS = {"config": {"embedContentConfig": {**ASKED, "autoTruncate": False}}, "fields": ASKED}
DUTY = "You will keep the machines of hall {number} running and write down what you find there. "
LONG = "".join(DUTY.format(number=number) for number in range(150))  # some 12,000 characters


def adverts(engine: Engine, count: int = 3, **texts: str) -> None:
    """Store adverts, some with a text of their own."""
    _load(engine, count, count)
    for job_id, text in texts.items():
        engine.sql(
            "update jobs_enriched set description = %(text)s where id = %(id)s",
            id=job_id.replace("_", "-"),
            text=text,
        )


def requests(engine: Engine, text: str | None = None) -> list[dict[str, Any]]:
    """Return what was sent for vectors: all in jobs, or one by one for a text."""
    keys = [f"text:{sha256(text.encode()).hexdigest()[:16]}"] if text else []
    keys = keys or [str(row["doc_id"]) for row in engine.generations()]
    seen = [each for key in keys for each in engine.http.get(f"/requests/{key}").json()["requests"]]
    return [each["request"] for each in seen if "content" in each["request"]]


def sent(request: dict[str, Any]) -> str:
    return str(request["content"]["parts"][0]["text"])


def qc() -> str:
    [report] = settings().reports_dir.glob("*-job_enrichment-full.md")
    return report.read_text()


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_request_for_a_vector_has_the_form_that_the_installation_says(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, transport: str, form: str
) -> None:
    configure(monkeypatch, embedding_form=form)
    adverts(engine, job_0001="A welder is wanted.")

    said = engine.summary(name=NAME, transport=transport)

    assert said.startswith("3 targets: 3 written")
    found = requests(engine, "A welder is wanted." if transport == "interactive" else None)
    assert len(found) == (1 if transport == "interactive" else 3)
    for request in found:
        assert {key: value for key, value in request.items() if key != "content"} == FORMS[form]


def test_the_form_changes_no_version(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    adverts(engine)
    with connect() as connection:
        before = version_digest(connection, NAME)
    engine.summary(name=NAME, limit=1, transport="batch")

    configure(monkeypatch, embedding_form="fields")

    with connect() as connection:
        assert version_digest(connection, NAME) == before
    assert engine.summary(name=NAME, limit=2, transport="batch").startswith("2 targets: 2 written")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_text_longer_than_the_model_reads_is_cut_at_a_sentence_and_counted(
    engine: Engine, transport: str
) -> None:
    adverts(engine, job_0001=LONG)

    said = engine.summary(name=NAME, transport=transport)

    assert said.startswith("3 targets: 3 written")
    kept = cut(LONG, 2_048)
    assert LONG.startswith(kept)
    assert kept.endswith("there.")
    assert 0.8 * 2_048 < tokens(kept) <= 0.9 * 2_048
    found = requests(engine, kept if transport == "interactive" else None)
    assert [sent(each) for each in found if sent(each).startswith(LONG[:30])] == [kept]
    measured = engine.sql("select measures from backfill.slices")
    assert sum(row["measures"].get("embedding:cut", 0) for row in measured) == 1
    assert "Texts that are longer than `gemini-embedding-001` reads: 1." in qc()


def test_the_answer_is_asked_of_the_whole_text(engine: Engine) -> None:
    adverts(engine, job_0001=LONG)

    engine.summary(name=NAME, transport="batch")

    [row] = [each for each in engine.generations() if each["target_id"] == "job-0001"]
    seen = engine.http.get(f"/requests/{row['doc_id']}").json()["requests"]
    [answer] = [each["request"] for each in seen if "contents" in each["request"]]
    assert answer["contents"][0]["parts"][0]["text"] == LONG


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_text_longer_than_the_model_reads_is_skipped_where_nothing_may_be_left_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    adverts(engine, job_0001=LONG)
    declared = backfills.get(NAME)
    assert declared.embedding
    strict = replace(declared, embedding=replace(declared.embedding, over_limit="skip"))
    real = backfills.get
    monkeypatch.setattr(backfills, "get", lambda name: strict if name == NAME else real(name))

    said = engine.summary(name=NAME, transport=transport)

    assert said.startswith("3 targets: 2 written, 0 empty, 0 bad, 1 skipped")
    assert engine.ends() == {"written": 2, "skipped: over_limit": 1}


@pytest.mark.parametrize("code", [3, 400])
def test_a_text_that_the_service_refuses_all_the_same_is_bad_alone(
    engine: Engine, code: int
) -> None:
    adverts(engine, count=12, job_0001=LONG)
    message = "The input token count (2100) exceeds the maximum number of tokens allowed (2048)."
    engine.fault("error_line", code=code, message=message, match={"text": LONG[:60]})

    engine.summary(name=NAME, transport="batch")

    assert engine.ends() == {"written": 11, "bad: refused_request": 1}
    assert engine.calls("batches.create") == 2
