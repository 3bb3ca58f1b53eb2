"""Several rows in one request: each gets its own answer, or none."""

import orjson
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tasks.core.answers import Answered, BadReason, judge
from tasks.core.packing import (
    MOST_ROWS,
    WatchedText,
    apart,
    groups,
    ids,
    key_of,
    keys_in,
    schema_of,
    shares,
    shown,
)
from tasks.core.requests import response_schema
from tasks.core.responses import Response, Usage

COUNTS = st.integers(0, 2**31 - 1)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS)
KEYS = st.lists(st.uuids().map(str), min_size=2, max_size=MOST_ROWS, unique=True)
USED = Usage(1_001, 503, 7, 99)


class Answer(BaseModel):
    said: str


def texts_of(keys: list[str]) -> dict[str, str]:
    return {key: f"{key} begins this row, and says what it says" for key in keys}


def item(name: str, key: str, **otherwise: object) -> dict[str, object]:
    begins = " ".join(texts_of([key])[key].split()[:8])
    return {"id": name, "begins": begins, "answer": {"said": key}, **otherwise}


def response(keys: list[str], items: list[dict[str, object]], cut: int = 0) -> Response:
    text = orjson.dumps({"rows": items}).decode()
    text, finish = (text[:-cut], "MAX_TOKENS") if cut else (text, "STOP")
    return Response(key_of(keys), text, finish, usage=USED)


def verdicts(line: Response) -> dict[str, str]:
    """Return what each row is answered, or why it is not, after checking what they used."""
    came = apart([line], texts_of(keys_in(line.key)))
    found = [each for each in came if isinstance(each, Response)]
    assert [each.key for each in found] == keys_in(line.key)
    total = Usage()
    for each in found:
        total = total.plus(each.usage)
    assert total == line.usage
    judged = {each.key: judge(each, Answer) for each in found}
    return {
        key: said.answer.said if isinstance(said, Answered) else str(said.reason)
        for key, said in judged.items()
    }


@given(KEYS, st.randoms())
def test_each_row_gets_its_own_answer_whatever_the_order(keys: list[str], random: object) -> None:
    items = [item(name, key) for name, key in ids(keys).items()]
    random.shuffle(items)  # type: ignore[attr-defined]

    assert verdicts(response(keys, items)) == dict(zip(keys, keys, strict=True))


@given(KEYS, st.data())
def test_nothing_that_befalls_the_items_gives_a_row_the_answer_of_another(
    keys: list[str], data: st.DataObject
) -> None:
    named = ids(keys)
    names = [*named, "zzzzz"]
    chosen = st.tuples(st.sampled_from(names), st.sampled_from(keys))
    items = [item(*each) for each in data.draw(st.lists(chosen, max_size=30))]
    cut = data.draw(st.integers(0, 60))

    found = verdicts(response(keys, items, cut))

    allowed = {BadReason.LEFT_OUT, BadReason.CROSSED}
    assert all(said == key or said in allowed for key, said in found.items())


@given(USAGES, st.lists(st.integers(0, 10**6), min_size=1, max_size=MOST_ROWS))
def test_what_each_row_used_is_in_sum_what_was_billed(usage: Usage, sizes: list[int]) -> None:
    found = shares(usage, sizes)

    assert len(found) == len(sizes)
    assert tuple(map(sum, zip(*found, strict=True))) == usage


@given(st.lists(st.uuids().map(str), max_size=60, unique=True), st.integers(2, MOST_ROWS))
def test_every_row_goes_once_and_the_same_way_for_the_same_seed(keys: list[str], rows: int) -> None:
    texts = {key: f"{key[:1]} begins like others" for key in keys}

    found = list(groups("seed", texts, rows))

    assert sorted(key for group in found for key in group) == sorted(keys)
    assert all(0 < len({texts[key] for key in group}) == len(group) <= rows for group in found)
    assert found == list(groups("seed", dict(reversed(texts.items())), rows))
    assert [keys_in(key_of(group)) for group in found] == found


def test_a_row_that_is_missing_double_or_not_its_own_gets_nothing_and_the_others_theirs() -> None:
    keys = [f"00000000-0000-0000-0000-{number:012}" for number in range(6)]
    names = list(ids(keys))
    crossed = [item(names[0], keys[1]), item(names[1], keys[0])]
    double = [item(names[2], keys[2]), item(names[2], keys[2])]

    found = verdicts(response(keys, [*crossed, *double, item(names[3], keys[3])]))

    reasons = ["crossed", "crossed", "left_out", keys[3], "left_out", "left_out"]
    assert list(found.values()) == reasons
    cut = verdicts(response(keys, [item(*each) for each in ids(keys).items()], cut=100))
    assert list(cut.values()) == [*keys[:5], "left_out"]


def test_what_is_refused_as_a_whole_is_asked_again_alone_and_what_failed_waits() -> None:
    keys = ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"]
    whole = Response(key_of(keys), usage=USED)

    assert set(verdicts(whole._replace(block_reason="SAFETY")).values()) == {"left_out"}
    assert set(verdicts(whole._replace(error=(3, "no"))).values()) == {"left_out"}
    assert set(verdicts(whole._replace(error=(13, "later"))).values()) == {"service_error"}
    assert set(verdicts(whole._replace(finish_reason="RECITATION")).values()) == {"recitation"}
    assert keys_in("no.key") == ["no.key"]


def test_a_quote_of_another_row_betrays_an_answer() -> None:
    others: list[str | None] = ["hash tables store their entries in buckets"]
    text = WatchedText("gradient descent follows the slope of a function")
    for quote in ("follows the slope", "nobody wrote that down anywhere"):
        text.find_alone(quote) or text.find(quote)
    assert text.elsewhere(others) is None
    assert text.elsewhere([*others, None]) == "nobody wrote that down anywhere"

    text.find("their entries in buckets")

    assert text.elsewhere(others) == "their entries in buckets"
    assert text.elsewhere([]) is None
    assert WatchedText("nothing was looked for").elsewhere([None]) is None
    alone = WatchedText("nothing of it")
    alone.find("a quote that stands nowhere")
    assert alone.elsewhere(others) == "a quote that stands nowhere"


def test_a_request_shows_each_row_below_its_id_and_asks_for_one_answer_each() -> None:
    keys = ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"]

    first, second = shown(keys, texts_of(keys))

    assert first == f"[{next(iter(ids(keys)))}]\n{texts_of(keys)[keys[0]]}\n\n"
    assert second != first
    said = orjson.loads(orjson.dumps(schema_of(response_schema(Answer))))
    fields = said["properties"]["rows"]["items"]["properties"]
    assert list(fields) == ["id", "begins", "answer"]
    assert fields["answer"]["properties"]["said"] == {"type": "STRING"}


def test_rows_of_a_few_beginnings_go_with_each_other_and_long_ones_alone() -> None:
    few = {str(number): f"{number % 3} is how a third of them begin" for number in range(300)}
    long = {f"long {number}": f"{number} " + "word " * 12_000 for number in range(30)}

    found = list(groups("seed", few | long, 5))

    assert sum(len(group) == 3 for group in found) > 60
    assert all(len(group) == 1 for group in found if any(key in long for key in group))
