"""Reading answers against orjson on the same bytes with no checks.

python -m bench.reading prints microseconds per line of one core: the best of five rounds, the
median in brackets, and the ratio to the floor.

The target of 1.5 was given up: the 250 lines that came near it, a second reader for usual lines
and one for good answers, saved seconds of a run over 538,865 passages. What is above 1.5 now is
printed in seconds of such a run.
"""

import gc
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import orjson

from bench.table import Row, emit, ratio, spread
from tasks import backfills
from tasks.core.answers import judge
from tasks.core.ends import Join
from tasks.core.responses import read_lines

ANSWER = backfills.get("passage_concepts").answer_model
LINES = 10_000
MALFORMED = 0.03
GIVEN_UP_RATIO = 1.5
PASSAGES = 538_865


def main() -> None:
    """Print the table."""
    lines = _lines(random.Random(1))  # noqa: S311 - always the same examples
    size = sum(map(len, lines)) / 1e6
    print(f"{LINES:,} lines, {size:.1f} MB, 8 concepts each, {MALFORMED:.0%} malformed")
    floor = _measured("orjson, line and answer (floor)", partial(_bare, lines), None)
    _measured("read_lines", partial(_read, lines), floor)
    _measured("orjson and pydantic, no reasons", partial(_validated, lines), floor)
    _measured("read_lines and judge", partial(_judged, lines), floor)
    ours = _measured("joined by key and judged", partial(_joined, lines), floor)
    above = (min(ours) - GIVEN_UP_RATIO * min(floor)) * PASSAGES / 1e6
    print(f"{above:.1f} s of {PASSAGES:,} lines are above {GIVEN_UP_RATIO} x, a target given up")
    said = (spread(ours, " us"), spread(floor, " us"), ratio(ours, floor))
    emit(Row(4, "answers read, joined and judged, a line", *said, f"{GIVEN_UP_RATIO} given up"))


def _bare(lines: list[bytes]) -> None:
    for line in lines:
        text = _inner(line)
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:
            continue


def _inner(line: bytes) -> str:
    answer: str = orjson.loads(line)["response"]["candidates"][0]["content"]["parts"][0]["text"]
    return answer


def _validated(lines: list[bytes]) -> None:
    for line in lines:
        try:
            ANSWER.model_validate_json(_inner(line), strict=True)
        except ValueError:
            continue


def _read(lines: list[bytes]) -> None:
    for _ in read_lines(lines):
        pass


def _judged(lines: list[bytes]) -> None:
    for line in read_lines(lines):
        judge(line, ANSWER)


def _joined(lines: list[bytes]) -> None:
    join = Join(map(str, range(LINES))).read(read_lines(lines))
    for _ in join.replies(partial(judge, answer_model=ANSWER)):
        pass


def _measured(
    name: str, work: Callable[[], None], floor: Sequence[float] | None
) -> Sequence[float]:
    rounds = []
    gc.disable()  # as while a slice is written; for the floor too
    for _ in range(5):
        gc.collect()
        began = time.process_time()
        work()
        rounds.append((time.process_time() - began) / LINES * 1e6)
    best = min(rounds)
    times = f"{best / min(floor):5.2f} x" if floor else ""
    print(f"{name:32} {best:6.2f} us ({median(rounds):6.2f}) {times}")
    return rounds


def _lines(chance: random.Random) -> list[bytes]:
    return [_line(str(number), chance) for number in range(LINES)]


def _line(key: str, chance: random.Random) -> bytes:
    concepts = [_concept(chance) for _ in range(8)]
    text = orjson.dumps({"concepts": concepts}).decode()
    if chance.random() < MALFORMED:
        text = chance.choice([text[:-40], f"```json\n{text}\n```", "I cannot help with that."])
    candidate = {
        "content": {"parts": [{"text": text}], "role": "model"},
        "finishReason": "STOP",
        "index": 0,
        "avgLogprobs": -0.1,
    }
    usage = {
        "promptTokenCount": 310,
        "candidatesTokenCount": 250,
        "totalTokenCount": 560,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 310}],
    }
    response = {"candidates": [candidate], "usageMetadata": usage, "responseId": "r"}
    return orjson.dumps({"response": response, "key": key}) + b"\n"


def _concept(chance: random.Random) -> dict[str, object]:
    return {
        "name": _words(2, chance),
        "type": chance.choice(["method", "dataset", "metric"]),
        "aliases": [_words(1, chance)],
        "confidence": round(chance.random(), 2),
        "surface": _words(2, chance),
        "quotes": [_words(12, chance)],
    }


def _words(count: int, chance: random.Random) -> str:
    letters = "etaoinshrdlu"
    return " ".join("".join(chance.choices(letters, k=5)) for _ in range(count))


if __name__ == "__main__":
    main()
