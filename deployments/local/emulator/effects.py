"""What can be wrong with one answer: a table of effects, for faults and for everyday trouble."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from deployments.local.emulator.passage import INVENTED
from deployments.local.emulator.reply import Reply

_SHORT = re.compile(rb'"(\w{1,2})":\{[^{}]*"description":"(?:quote|surface)')
"""Short names of what is copied."""

Params = Mapping[str, Any]
Act = Callable[[Reply, Params], None]


@dataclass(frozen=True)
class Effect:
    """An effect, whether it makes the answer useless, and its parameters' defaults."""

    act: Act
    about: str
    spoils: bool
    params: Params


EFFECTS: dict[str, Effect] = {}


def effect(*, spoils: bool, **params: object) -> Callable[[Act], Act]:
    """Register an effect under its function's name, described by its docstring."""

    def register(act: Act) -> Act:
        EFFECTS[act.__name__] = Effect(act, act.__doc__ or "", spoils, params)
        return act

    return register


@effect(spoils=True, code=13, message="Internal error.")
def error_line(reply: Reply, params: Params) -> None:
    """Give an error instead of a response."""
    reply.error = {"code": params["code"], "message": params["message"]}


@effect(spoils=True)
def poisoned_details(reply: Reply, _: Params) -> None:
    """Give an error whose details are objects, which the SDK cannot read inline."""
    details = [{"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": "planted"}]
    reply.error = {"code": 13, "message": "Internal error.", "details": details}


@effect(spoils=True)
def safety(reply: Reply, _: Params) -> None:
    """Give a candidate without content, finishReason SAFETY."""
    reply.silence("SAFETY")


@effect(spoils=True)
def recitation(reply: Reply, _: Params) -> None:
    """Give a candidate without content, finishReason RECITATION."""
    reply.silence("RECITATION")


@effect(spoils=True, reason="PROHIBITED_CONTENT")
def prompt_blocked(reply: Reply, params: Params) -> None:
    """Give promptFeedback and no candidates."""
    reply.silence("STOP")
    reply.blocked = params["reason"]


@effect(spoils=True)
def empty_text(reply: Reply, _: Params) -> None:
    """Give an answer without any text, finishReason STOP."""
    reply.silence("STOP")


@effect(spoils=False, needs=8193)
def max_tokens(reply: Reply, params: Params) -> None:
    """Cut the answer off at MAX_TOKENS unless maxOutputTokens is at least `needs`."""
    if (reply.asked.most_tokens or 0) < params["needs"]:
        reply.cut(len(reply.text) * 3 // 5)


@effect(spoils=True)
def truncated(reply: Reply, _: Params) -> None:
    """Cut the JSON off in the middle, finishReason STOP all the same."""
    reply.text = reply.text[: max(1, len(reply.text) * 2 // 5)]


@effect(spoils=True)
def not_json(reply: Reply, _: Params) -> None:
    """Give prose instead of JSON."""
    reply.text = f"I am sorry, here is what I found. {reply.passage.sentence()}"


@effect(spoils=False)
def prose(reply: Reply, _: Params) -> None:
    """Put prose around the JSON."""
    if reply.text:
        reply.text = f"Here is the answer you asked for:\n\n{reply.text}\n\nI hope this helps."


@effect(spoils=False)
def fenced(reply: Reply, _: Params) -> None:
    """Put the JSON into a Markdown fence."""
    if reply.text:
        reply.text = f"```json\n{reply.text}\n```"


@effect(spoils=True)
def wrong_types(reply: Reply, _: Params) -> None:
    """Give numbers as words, texts as numbers, arrays of texts as objects."""
    _edit(reply, _twisted)


@effect(spoils=False)
def invented_quotes(reply: Reply, _: Params) -> None:
    """Replace every quote by one that nobody wrote."""
    _requote(reply, lambda _: reply.random.choice(INVENTED))


@effect(spoils=False)
def restyled_quotes(reply: Reply, _: Params) -> None:
    """Restyle every quote: case, white space or punctuation marks."""
    _requote(reply, reply.passage.restyled)


@effect(spoils=False)
def reworded_quotes(reply: Reply, _: Params) -> None:
    """Replace one word of every quote."""
    _requote(reply, reply.passage.reworded)


@effect(spoils=False, text="{}")
def says(reply: Reply, params: Params) -> None:
    """Give a text of the caller's own."""
    reply.text = str(params["text"])


@effect(spoils=False)
def no_items(reply: Reply, _: Params) -> None:
    """Empty the arrays at the top."""
    _edit(reply, _emptied)


@effect(spoils=False, items=0.02, begins="either")
def crossed_rows(reply: Reply, params: Params) -> None:
    """Swap a share of a request's answers (`items`): with their first words, without, or either."""

    def crossed(value: Any) -> Any:  # noqa: ANN401 - JSON
        rows = _rows(value)
        for row in rows if len(rows) > 1 else ():
            if reply.random.random() < params["items"] / 2:
                other = reply.random.choice([each for each in rows if each is not row])
                moves = params["begins"] == "moves" or (
                    params["begins"] == "either" and reply.random.random() < 0.5  # noqa: PLR2004
                )
                for name in ("begins", "answer") if moves else ("answer",):
                    row[name], other[name] = other[name], row[name]
        return value

    _edit(reply, crossed)


@effect(spoils=False, items=0.02)
def dropped_rows(reply: Reply, params: Params) -> None:
    """Leave out a share of a request's answers (`items`)."""

    def dropped(value: Any) -> Any:  # noqa: ANN401 - JSON
        kept = [row for row in _rows(value) if reply.random.random() >= params["items"]]
        return {**value, "rows": kept} if _rows(value) else value

    _edit(reply, dropped)


def _rows(value: object) -> list[dict[str, Any]]:
    """Return the answers of a request about several rows."""
    rows = value.get("rows") if isinstance(value, dict) else None
    return rows if isinstance(rows, list) else []


@effect(spoils=False)
def thoughts(reply: Reply, _: Params) -> None:
    """Give a thought part, or a part with only a thought signature, and thought tokens."""
    reply.thought = True


@effect(spoils=False)
def cached(reply: Reply, _: Params) -> None:
    """Say that half of the prompt's tokens came from the service's cache."""
    reply.cached = True


@effect(spoils=False)
def no_usage(reply: Reply, _: Params) -> None:
    """Give no usageMetadata at all."""
    reply.usage = "none"


@effect(spoils=False)
def partial_usage(reply: Reply, _: Params) -> None:
    """Give usageMetadata without its total."""
    reply.usage = "partial"


@effect(spoils=True)
def missing_line(reply: Reply, _: Params) -> None:
    """Leave the line out."""
    reply.missing = True


@effect(spoils=False)
def duplicate_key(reply: Reply, _: Params) -> None:
    """Write the line again with another answer."""
    reply.after.append("duplicate")


@effect(spoils=False)
def unknown_key(reply: Reply, _: Params) -> None:
    """Write a further line with a key that nobody sent."""
    reply.after.append("stranger")


@effect(spoils=False)
def blank_line(reply: Reply, _: Params) -> None:
    """Write a blank line before the line."""
    reply.before.append(b"\n")


@effect(spoils=True)
def bad_byte(reply: Reply, _: Params) -> None:
    """Put a byte into the line that is not UTF-8."""
    reply.spoil = b"\xff"


@effect(spoils=True, bytes=50_000_000)
def huge_line(reply: Reply, params: Params) -> None:
    """Blow the line up to 50 MB (`bytes`)."""
    reply.spoil = b"x" * int(params["bytes"])


def _twisted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _twisted(part) for key, part in value.items()}
    if isinstance(value, list):
        return (
            {"items": value}
            if value and isinstance(value[0], str)
            else [_twisted(v) for v in value]
        )
    return "high" if isinstance(value, float | int) else 7


def _edit(reply: Reply, change: Callable[[object], object]) -> None:
    # An answer that is no JSON, by chance or by another effect, stays as it is.
    try:
        value = orjson.loads(reply.text)
    except orjson.JSONDecodeError:
        return
    reply.text = orjson.dumps(change(value)).decode()


def _emptied(value: object) -> object:
    if isinstance(value, dict):
        return {key: [] if isinstance(part, list) else part for key, part in value.items()}
    return [] if isinstance(value, list) else value


def _requote(reply: Reply, change: Callable[[str], str]) -> None:
    short = {name.decode() for name in _SHORT.findall(reply.asked.raw_config)}

    def walk(value: object, name: str = "") -> object:
        if isinstance(value, dict):
            return {key: walk(part, key) for key, part in value.items()}
        if isinstance(value, list):
            return [walk(part, name) for part in value]
        copied = name in short or any(word in name for word in ("quote", "surface"))
        return change(value) if copied and isinstance(value, str) else value

    _edit(reply, walk)


# Everyday trouble: the share of answers each befalls at a trouble of 1. Field figures; the first
# asking alone is cut off or blocked, so that asking again heals.
EVERYDAY: tuple[tuple[str, float, bool], ...] = (
    ("no_items", 0.01, False),
    ("fenced", 0.01, False),
    ("truncated", 0.0015, True),
    ("not_json", 0.0015, True),
    ("safety", 0.002, True),
    ("thoughts", 0.05, False),
    ("partial_usage", 0.01, False),
    ("no_usage", 0.003, False),
)
