"""The site file over the declarations: what it changes, and a sentence for each fault."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from tasks.core.backfill import Answer, Backfill, Options, Record
from tasks.core.errors import SettingsError
from tasks.core.gates import Gate
from tasks.core.places import InPlace, NewRows, Rows
from tasks.core.site import configure


class Chosen(Options):
    """What the site of these tests may choose."""

    words: tuple[str, ...] = ("good", "bad")
    style: Literal["plain", "fine"] = "plain"


class Verdict(BaseModel):
    """An answer."""

    word: str


def records(answer: Answer) -> Iterator[Record]:
    yield {"word": answer.value.word}


REVIEWS = Backfill(
    name="reviews",
    title="Reviews",
    extractor_version="v1",
    answer=Verdict,
    records=records,
    source=Rows("reviews", id="review_id", text="{body}"),
    target=NewRows("verdicts", id="review_id"),
    gates=(Gate("usable", "Usable", at_least=0.9),),
    output_tokens=40,
    options=Chosen(),
)
ADVERTS = Backfill(
    name="adverts",
    title="Adverts",
    extractor_version="v1",
    answer=Verdict,
    records=records,
    source=Rows("adverts", id="id", text="{body}"),
    target=InPlace(columns=("word",)),
    gates=(),
    output_tokens=40,
)
DECLARED = {"reviews": REVIEWS, "adverts": ADVERTS}


def over(site: dict[str, Any]) -> dict[str, Backfill]:
    return configure(DECLARED, site, "backfills.toml", lambda name: ["from", name])


def refusal(site: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as raised:
        over(site)
    return str(raised.value)


def test_a_site_without_sections_leaves_the_declarations_as_they_are() -> None:
    assert over({}) == dict(sorted(DECLARED.items()))


def test_every_key_of_a_section_has_its_effect() -> None:
    section = {
        "title": "Our reviews",
        "extractor_version": "v2",
        "model": "another-model",
        "prompt": "prompts/ours.md",
        "temperature": 0.3,
        "max_output_tokens": 512,
        "google_search": True,
        "interactive_up_to": 10,
        "waves": [5, 50],
        "source": {
            "table": "kb.Reviews",
            "id": "reviewId",
            "text": "{title}: {body}",
            "where": "ok",
        },
        "target": {"table": "tones", "columns": {"word": "tone"}, "optional": ["word"]},
        "options": {"words": ["fine", "so so"], "style": "fine"},
    }

    ours = over({"reviews": section})["reviews"]

    assert (ours.title, ours.extractor_version, ours.model) == (
        "Our reviews",
        "v2",
        "another-model",
    )
    assert (ours.prompt, ours.temperature, ours.max_output_tokens) == ("prompts/ours.md", 0.3, 512)
    assert (ours.google_search, ours.interactive_up_to, ours.waves) == (True, 10, (5, 50))
    assert ours.source == Rows("kb.Reviews", "reviewId", "{title}: {body}", "ok")
    assert ours.target == NewRows("tones", "review_id", {"word": "tone"}, ("word",))
    assert ours.options == Chosen(words=("fine", "so so"), style="fine")
    assert ours.site == section
    assert ours.checkpoint == "backfill_tones_v2"


def test_a_list_may_stand_in_a_file_and_is_recorded_with_its_lines() -> None:
    ours = over({"reviews": {"options": {"words": {"file": "words.txt"}}}})["reviews"]

    assert ours.options == Chosen(words=("from", "words.txt"))
    assert ours.site == {"options": {"words": ["from", "words.txt"]}}


def test_another_instance_of_a_declaration_goes_by_its_own_name() -> None:
    found = over({"notes": {"of": "reviews", "target": {"table": "note_verdicts"}}})

    assert set(found) == {"adverts", "notes", "reviews"}
    assert (found["notes"].name, found["notes"].declared_as) == ("notes", "reviews")
    assert found["notes"].checkpoint == "backfill_note_verdicts_v1"
    assert found["reviews"] is REVIEWS


@pytest.mark.parametrize(
    ("site", "said"),
    [
        ({"reviws": {}}, "[reviws]: no such backfill; did you mean reviews?"),
        ({"notes": {"of": "revews"}}, "of names no backfill: 'revews'; did you mean reviews?"),
        ({"Notes 1": {"of": "reviews"}}, "'Notes 1' is no name"),
        ({"model": "x"}, "model stands outside a section"),
        ({"reviews": {"modell": "x"}}, "'modell' is unknown; did you mean model?"),
        ({"reviews": {"source": {"tabel": "x"}}}, "'tabel' is unknown; did you mean table?"),
        ({"reviews": {"source": "reviews"}}, "source is a section: write [reviews.source]"),
        ({"reviews": {"options": {"wrds": []}}}, "'wrds' is unknown; did you mean words?"),
        ({"reviews": {"options": {"words": "fine"}}}, "options.words"),
        ({"reviews": {"options": {"style": "rough"}}}, "options.style"),
        ({"reviews": {"options": {"words": {"fil": "x"}}}}, '{ file = "names.txt" }'),
        ({"reviews": {"temperature": "hot"}}, "temperature: Input should be a valid number"),
        ({"reviews": {"temperature": 3.0}}, "temperature: Input should be less than or equal to 2"),
        ({"reviews": {"max_output_tokens": 40}}, "leaves no room for answers of about 40 tokens"),
        ({"reviews": {"source": {"text": "{a"}}}, "belongs to no column"),
        ({"reviews": {"source": {"text": "a"}}}, "names no column"),
        ({"reviews": {"source": {"id": 7}}}, "source.id: Input should be a valid string"),
        ({"reviews": {"source": {"table": "a.b.c"}}}, "is no name of a table"),
        ({"reviews": {"extractor_version": "v 2"}}, "extractor_version"),
        ({"notes": {"of": "reviews"}}, "it writes where [reviews] writes"),
        ({"adverts": {"target": {"columns": []}}}, "target.columns is empty"),
        ({"adverts": {"target": {"table": "other"}}}, "filled in in place"),
    ],
)
def test_each_fault_is_one_sentence_that_says_where_and_what(
    site: dict[str, Any], said: str
) -> None:
    sentence = refusal(site)

    assert said in sentence
    assert sentence.startswith("backfills.toml, [")
    assert "\n" not in sentence
