from typing import Any, Literal

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tasks.core.answers import (
    Answered,
    BadReason,
    Refused,
    judge,
    judge_embedding,
    reason_of,
)
from tasks.core.responses import Response


class Item(BaseModel):
    name: str
    kind: Literal["method", "dataset"]
    confidence: float = Field(ge=0, le=1)
    aliases: list[str] = []


class Items(BaseModel):
    items: list[Item]


class Song(BaseModel):
    energy: str
    reasoning: str


ONE = '{"name":"a","kind":"method","confidence":1,"aliases":["x"]}'
TWO = f'{{"items":[{ONE},{{"name":"b{{","kind":"dataset","confidence":0.5}}]}}'
BOTH = Items.model_validate_json(TWO)
FIRST = Items(items=BOTH.items[:1])


def verdict(text: str | None, finish: str | None = "STOP", **more: Any) -> Any:
    return judge(Response("k", text, finish, **more), Items)


@pytest.mark.parametrize(
    "text",
    [
        TWO,
        f"  {TWO}\n\n",
        f"```json\n{TWO}\n```",
        f"```\n{TWO}\n```",
        f"Sure, here it is:\n\n{TWO}\n\nAnything else?",
        f"As [1] says {{sic}}:\n```json\n{TWO}\n``` [2]",
        f"{TWO}{TWO}",
        "\ufeff" + TWO,
    ],
)
def test_json_is_read_bare_fenced_and_between_prose(text: str) -> None:
    said = verdict(text)

    assert said == Answered(BOTH)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (TWO.replace("]}", "],}"), BOTH),
        (TWO.replace('"name"', "name"), BOTH),
        (f"```json\n{TWO.replace(']}', '],}')}\n```", BOTH),
        (f'{{"items":[{ONE}]}}'.replace('"', "'"), FIRST),
    ],
)
def test_slightly_wrong_json_is_repaired_and_marked(text: str, answer: Items) -> None:
    said = verdict(text)

    assert said == Answered(answer, repaired=True)


NONE = '{"items":[]}'
ONLY = f'{{"items":[{ONE}]}}'


@pytest.mark.parametrize(
    "text",
    [
        f"{NONE}\n{TWO}",
        f"```json\n{NONE}\n```\nOn second thought:\n```json\n{TWO}\n```",
        f"{NONE}{NONE}{TWO}",
        f"{TWO} that is {TWO}",
        f"{TWO}\n[1] see {{there}}",
    ],
)
def test_of_several_answers_the_last_is_taken_where_the_others_hold_nothing(text: str) -> None:
    assert verdict(text) == Answered(BOTH)


@pytest.mark.parametrize(
    "text",
    [
        f"{ONLY}\n{TWO}",
        f"{TWO}\n{ONLY}",
        f"{TWO}\n{NONE}",
        f"{NONE}{TWO}{NONE}",
        f"{ONLY}{ONLY.replace('1', '95')}",
        f"{TWO.replace(']}', '],}')}\n{NONE}",
    ],
)
def test_several_answers_that_differ_are_asked_again(text: str) -> None:
    said = verdict(text)

    assert isinstance(said, Refused)
    assert said.reason is BadReason.SEVERAL_ANSWERS
    assert said.reason.is_asked_again
    assert said.salvaged is None


@pytest.mark.parametrize("finish", ["STOP", "MAX_TOKENS"])
def test_an_empty_answer_before_one_that_is_cut_off_is_not_the_answer(finish: str) -> None:
    said = verdict(f"{NONE}\n{TWO[:-9]}", finish)

    assert isinstance(said, Refused)
    assert said.reason.is_asked_again
    assert said.salvaged is not None
    assert said.salvaged.answer == FIRST


def test_an_empty_answer_before_one_that_is_slightly_wrong_is_not_the_answer() -> None:
    assert verdict(f"{NONE}\n{TWO.replace(']}', '],}')}") == Answered(BOTH, repaired=True)


@pytest.mark.parametrize("text", ['{"items":', '{"items":[', '{"items":[{', '{"items":[{"na'])
def test_an_answer_cut_before_its_first_item_is_not_an_empty_answer(text: str) -> None:
    assert verdict(text, "MAX_TOKENS").salvaged is None
    assert verdict(text).salvaged is None


def test_an_item_of_a_cut_answer_is_not_the_answer() -> None:
    class Lenient(BaseModel):
        name: str = ""

    said = judge(Response("k", TWO[:-9], "STOP"), Lenient)

    assert isinstance(said, Refused)


@pytest.mark.parametrize("end", range(len(ONE) + 10, len(TWO)))
def test_a_cut_answer_keeps_its_finished_items_and_no_half_ones(end: int) -> None:
    said = verdict(TWO[:end])

    assert said.reason == BadReason.LOST_ITEMS
    assert said.reason.is_asked_again
    assert said.salvaged.lost_items
    assert said.salvaged.answer in (FIRST, BOTH)
    assert said.salvaged.answer == FIRST or end >= len(TWO) - 2


def test_an_answer_at_the_token_limit_asks_for_more_and_carries_what_was_read() -> None:
    said = verdict(TWO[:-10], "MAX_TOKENS")

    assert said.reason == BadReason.MAX_TOKENS
    assert said.salvaged == Answered(FIRST, repaired=True, lost_items=True)


def test_a_whole_answer_at_the_token_limit_lost_nothing() -> None:
    assert verdict(TWO, "MAX_TOKENS") == Answered(BOTH)
    assert verdict(TWO + "\n" * 5000, "MAX_TOKENS") == Answered(BOTH)


def test_nothing_at_the_token_limit_asks_for_more() -> None:
    said = verdict(None, "MAX_TOKENS")

    assert (said.reason, said.salvaged) == (BadReason.MAX_TOKENS, None)


def test_a_cut_answer_without_items_is_salvaged_with_its_last_words_missing() -> None:
    cut = '{"energy":"high","reasoning":"It is lou'

    said = judge(Response("k", cut, "STOP"), Song)

    assert isinstance(said, Refused)
    assert said.reason == BadReason.LOST_ITEMS
    assert said.salvaged is not None
    assert said.salvaged.answer == Song(energy="high", reasoning="It is lou")


@pytest.mark.parametrize(
    ("response", "reason", "is_asked_again"),
    [
        (Response("k", error=(3, "bad")), BadReason.REFUSED_REQUEST, False),
        (Response("k", error=(503, "busy")), BadReason.SERVICE_ERROR, True),
        (Response("k", TWO, "STOP", error=(8, "quota")), BadReason.NO_QUOTA, True),
        (Response("k", error=(0, "odd")), BadReason.ERROR_LINE, True),
        (Response("k", block_reason="PROHIBITED_CONTENT"), BadReason.BLOCKED, False),
        (Response("k", TWO, "STOP", block_reason="SAFETY"), BadReason.BLOCKED, False),
        (Response("k", None, "SAFETY"), BadReason.SAFETY, False),
        (Response("k", TWO, "SPII"), BadReason.SAFETY, False),
        (Response("k", TWO, "RECITATION"), BadReason.RECITATION, True),
        (Response("k", TWO, "MALFORMED_RESPONSE"), BadReason.UNKNOWN_FINISH, True),
        (Response("k", TWO, "SOMETHING_NEW"), BadReason.UNKNOWN_FINISH, True),
        (Response("k"), BadReason.NO_CONTENT, True),
        (Response("k", "", "STOP"), BadReason.NO_CONTENT, True),
        (Response("k", " \n", "STOP"), BadReason.NO_CONTENT, True),
        (Response("k", "I cannot help with that.", "STOP"), BadReason.NOT_JSON, True),
        (Response("k", "{}", "STOP"), BadReason.WRONG_SHAPE, True),
        (Response("k", "[]", "STOP"), BadReason.WRONG_SHAPE, True),
        (Response("k", '"items"', "STOP"), BadReason.WRONG_SHAPE, True),
        (Response("k", "null", "STOP"), BadReason.WRONG_SHAPE, True),
        (Response("k", '{"items":null}', "STOP"), BadReason.WRONG_SHAPE, True),
        (Response("k", '{"items":[{"name":"a"}]}', "STOP"), BadReason.WRONG_SHAPE, True),
        (Response("k", '{"items":[1, "a", null]}', "STOP"), BadReason.WRONG_SHAPE, True),
        (Response("k", "[" * 5_000, "STOP"), BadReason.NOT_JSON, True),
        (Response("k", '{"items":' * 5_000, "STOP"), BadReason.NOT_JSON, True),
    ],
)
def test_a_response_without_an_answer_is_refused_with_its_reason(
    response: Response, reason: BadReason, is_asked_again: object
) -> None:
    said = judge(response, Items)

    assert isinstance(said, Refused)
    assert (said.reason, said.reason.is_asked_again) == (reason, is_asked_again)


REQUEST = (3, 5, 6, 7, 9, 11, 12, 16, 400, 401, 403, 404, 413, 501)
SERVICE = (1, 2, 4, 10, 13, 14, 15, 408, 409, 499, 500, 502, 503, 504, 529)


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (REQUEST, BadReason.REFUSED_REQUEST),
        (SERVICE, BadReason.SERVICE_ERROR),
        ((8, 429), BadReason.NO_QUOTA),
        ((0, 17, 200, 302, 600, 999_999), BadReason.ERROR_LINE),
    ],
)
def test_a_code_of_grpc_or_http_says_whose_fault_an_error_is(
    codes: tuple[int, ...], reason: BadReason
) -> None:
    assert {reason_of(code) for code in codes} == {reason}


@given(st.integers(0, 10**18), st.text())
def test_every_error_has_one_reason_and_only_a_request_s_own_fault_is_final(
    code: int, message: str
) -> None:
    said = judge(Response("k", TWO, "STOP", error=(code, message)), Items)

    assert isinstance(said, Refused)
    assert said.detail.startswith(f"{code}: "[:300])
    assert said.reason.is_asked_again == (said.reason is not BadReason.REFUSED_REQUEST)
    assert said.reason.is_unpaid == (said.reason in {BadReason.SERVICE_ERROR, BadReason.NO_QUOTA})


def test_what_waits_is_never_final() -> None:
    assert all(reason.is_asked_again for reason in BadReason if reason.is_unpaid)


def test_the_detail_of_a_wrong_shape_names_the_place() -> None:
    said = verdict(f'{{"items":[{ONE.replace("1", "[]")}]}}')

    assert said.detail == "items.0.confidence: Input should be a valid number"


def test_a_missing_finish_reason_is_no_reason_to_refuse() -> None:
    assert verdict(TWO, None) == Answered(BOTH)


def test_half_a_surrogate_pair_in_an_answer_becomes_a_replacement_character() -> None:
    said = verdict(TWO.replace('"a"', r'"a\ud800"'))

    assert said.answer.items[0].name == "a\ufffd"


def test_every_reason_has_one_line_for_people() -> None:
    lines = [reason.explanation for reason in BadReason]

    assert all(line.endswith(".") and "\n" not in line for line in lines)
    assert len(set(lines)) == len(BadReason)


@given(st.text(st.characters()), st.sampled_from(["STOP", "MAX_TOKENS", None, "OTHER"]))
@example("[" * 100_000, "STOP")
@example('{"items":[' + '{"name":"' * 2_000, "MAX_TOKENS")
@example('{"items":1e999}', "STOP")
@example("{" + "9" * 5_000 + "}", "STOP")
@example("```json\n{'a': [1,2,", "STOP")
def test_no_text_raises(text: str, finish: str | None) -> None:
    said = verdict(text, finish)

    assert isinstance(said, Answered | Refused)


# A backspace or a form feed before a letter is a command of LaTeX, and so is a tab after ^.
written = st.characters(exclude_categories=["Cs"], exclude_characters="\b\f^")
items = st.builds(
    Item,
    name=st.text(written),
    kind=st.sampled_from(["method", "dataset"]),
    confidence=st.floats(0, 1),
    aliases=st.lists(st.text(written, max_size=5), max_size=3),
)


@given(st.lists(items, min_size=1, max_size=5), st.data())
def test_cutting_an_answer_anywhere_never_invents_an_item(
    several: list[Item], data: st.DataObject
) -> None:
    text = Items(items=several).model_dump_json()
    end = data.draw(st.integers(0, len(text) - 1))

    said = verdict(text[:end], "MAX_TOKENS")

    assert isinstance(said, Refused)
    if said.salvaged is not None:
        kept = said.salvaged.answer.items
        assert 1 <= len(kept) <= len(several)
        assert kept[:-1] == several[: len(kept) - 1]
        assert len(kept) == 1 or kept[-1].name == several[len(kept) - 1].name


@given(st.lists(items, max_size=3), st.text(max_size=30), st.text(max_size=30))
def test_prose_without_brackets_around_an_answer_changes_nothing(
    several: list[Item], before: str, after: str
) -> None:
    text = Items(items=several).model_dump_json()
    before, after = (prose.translate(str.maketrans("{}[]", "    ")) for prose in (before, after))

    said = verdict(before + text + after)

    assert said == Answered(Items(items=several))


def test_an_embedding_of_the_right_length_is_accepted() -> None:
    vector = [0.5] * 768

    assert judge_embedding(Response("k", embedding=vector), 768) == Answered(vector)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response("k", embedding=[0.5] * 384), BadReason.WRONG_SHAPE),
        (Response("k", embedding=[]), BadReason.NO_CONTENT),
        (Response("k"), BadReason.NO_CONTENT),
        (Response("k", error=(429, "slow down")), BadReason.NO_QUOTA),
        (Response("k", block_reason="OTHER"), BadReason.BLOCKED),
    ],
)
def test_an_embedding_that_is_not_one_is_refused(response: Response, reason: BadReason) -> None:
    said = judge_embedding(response, 768)

    assert isinstance(said, Refused)
    assert said.reason == reason


def test_an_answer_of_raw_bytes_is_read_like_any_other() -> None:
    said = verdict(orjson.dumps(BOTH.model_dump()).decode())

    assert said == Answered(BOTH)


def test_nothing_is_dropped_with_the_first_line_of_a_fence_but_its_language() -> None:
    assert isinstance(verdict(f"```[1,\n{TWO}\n```"), Refused)
