import random

import orjson
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tasks.core.answers import Answered, BadReason, Refused, judge
from tasks.core.answers import missing as missing_verdict
from tasks.core.ends import MANY, CommonRefusal, Join, Reply
from tasks.core.responses import Response, Unreadable, Usage, read_lines


class Answer(BaseModel):
    n: int


def judged(response: Response) -> Answered[Answer] | Refused[Answer]:
    return judge(response, Answer)


def good(key: str, n: int) -> Response:
    return Response(key, f'{{"n":{n}}}', "STOP", usage=Usage(10, 2))


def replies(join: Join) -> dict[str, Reply[Answer]]:
    return {reply.key: reply for reply in join.replies(judged)}


def missing(join: Join) -> list[str]:
    """Return the keys without any line."""
    verdicts = {reply.key: reply.verdict for reply in join.replies(judged)}
    return [key for key, said in verdicts.items() if said == missing_verdict()]


def test_responses_are_joined_by_key_whatever_their_order() -> None:
    join = Join(["a", "b", "c"]).read([good("c", 3), good("a", 1), good("b", 2)])

    said = [reply.verdict for reply in join.replies(judged)]

    assert said == [Answered(Answer(n=n)) for n in (1, 2, 3)]


def test_a_key_without_a_line_is_missing_and_retryable() -> None:
    join = Join(["a", "b"]).read([good("a", 1)])

    verdict = replies(join)["b"].verdict

    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.reason.is_asked_again) == (BadReason.MISSING, True)


def test_keys_that_nobody_asked_for_are_counted() -> None:
    join = Join(["a"]).read([good(f"x{n}", n) for n in range(9)])

    assert join.unknown == 9
    assert missing(join) == ["a"]


def test_every_readable_line_is_paid_for() -> None:
    join = Join(["a"]).read([good("a", 1), good("a", 1), good("x", 1), Unreadable(4, "no")])

    assert join.usage == Usage(30, 6)
    assert (join.duplicates, join.unknown, join.unreadable) == (1, 1, 1)


def test_a_damaged_line_with_a_known_key_is_refused_as_unreadable() -> None:
    join = Join(["a"]).read(read_lines([b'{"key":"a","response":{"x":"\xff"}}']))

    verdict = replies(join)["a"].verdict

    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.reason.is_asked_again) == (BadReason.UNREADABLE, True)


def test_an_answer_is_kept_over_a_repaired_one_over_a_refusal() -> None:
    lines = [
        Response("a", "no", "STOP"),
        Response("a", "{'n':1,}", "STOP"),
        good("a", 5),
        Unreadable(9, "no", "a"),
    ]

    kept = []
    while lines:
        kept.append(replies(Join(["a"]).read(lines))["a"])
        best = kept[-1]
        lines.remove(best.response or Unreadable(9, "no", "a"))

    assert [(each.verdict.answer, each.verdict.repaired) for each in kept[:2]] == [
        (Answer(n=5), False),
        (Answer(n=1), True),
    ]
    assert [reply.verdict.reason for reply in kept[2:]] == [
        BadReason.NOT_JSON,
        BadReason.UNREADABLE,
    ]


lines = st.lists(
    st.builds(
        lambda key, text, finish: Response(key, text=text, finish_reason=finish),
        st.sampled_from("abcx"),
        st.sampled_from(['{"n":1}', '{"n":2}', "{'n':3}", '{"n":', "no", None]),
        st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY"]),
    )
    | st.builds(
        lambda number, key: Unreadable(number, "no", key),
        st.integers(1, 9),
        st.sampled_from("abx"),
    ),
    max_size=12,
)


@given(lines, st.randoms(use_true_random=False))
def test_the_order_of_lines_decides_nothing(
    several: list[Response | Unreadable], chance: random.Random
) -> None:
    shuffled = list(several)
    chance.shuffle(shuffled)

    one, other = Join("abc").read(several), Join("abc").read(shuffled)

    assert replies(one) == replies(other)
    assert list(replies(one)) == ["a", "b", "c"]
    assert (one.duplicates, one.unknown) == (other.duplicates, other.unknown)


@given(lines)
def test_every_line_is_counted_exactly_once(several: list[Response | Unreadable]) -> None:
    join = Join("abc").read(several)

    used = 3 - len(missing(join))
    assert used + join.duplicates + join.unknown == len(several)


def test_reading_in_parts_is_reading_as_a_whole() -> None:
    raw = [orjson.dumps({"key": key, "error": {"code": 8, "message": "quota"}}) for key in "abca"]

    join = Join("abcd").read(read_lines(raw[:2])).read(read_lines(raw[2:]))

    assert (missing(join), join.duplicates) == (["d"], 1)


def refused(key: str, code: int = 3, message: str = "no") -> Response:
    return Response(key, error=(code, message))


KEYS = [f"k{number}" for number in range(30)]


@given(
    refusals=st.integers(0, 30),
    others=st.lists(st.sampled_from(["service", "quota", "blocked", "prose"]), max_size=30),
    answered=st.booleans(),
)
def test_requests_are_refused_together_when_many_are_and_none_is_answered(
    refusals: int, others: list[str], *, answered: bool
) -> None:
    kinds = {
        "service": lambda key: refused(key, 14),
        "quota": lambda key: refused(key, 429),
        "blocked": lambda key: Response(key, block_reason="OTHER"),
        "prose": lambda key: Response(key, "no", "STOP"),
    }
    keys = iter([f"k{number}" for number in range(61)])
    lines = [refused(next(keys)) for _ in range(refusals)]
    lines += [kinds[kind](next(keys)) for kind in others]
    lines += [good(next(keys), 1)] if answered else []

    said = Join([line.key for line in lines]).read(lines).common_refusal(judged)

    expected = CommonRefusal(3, "no", refusals, len(lines))
    assert said == (expected if refusals >= MANY and not answered else None)


def test_an_answer_that_was_cut_off_shows_that_requests_are_not_refused_together() -> None:
    lines = [refused(key) for key in KEYS[1:]] + [Response("k0", '{"n":1,', "MAX_TOKENS")]

    assert Join(KEYS).read(lines).common_refusal(judged) is None


def test_of_several_refusals_the_most_frequent_one_is_quoted() -> None:
    lines = [refused(key, 3, "Budget 0 is invalid.") for key in KEYS[:12]]
    lines += [refused(key, 3, f"Line {key}.") for key in KEYS[12:20]]
    lines += [refused(key, 5, "No such thing.") for key in KEYS[20:]]

    said = Join(KEYS).read(lines).common_refusal(judged)

    assert said == CommonRefusal(3, "Budget 0 is invalid.", 20, 30)
