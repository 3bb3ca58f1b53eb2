"""Several rows in one request: how they go out together, and how each gets its own answer back.

Between the two borders nobody knows of it: a request of several rows becomes as many responses as
it has rows, each as if its row had been asked alone. Rows and answers are joined by id only. What
is not surely a row's own is left out, and the row is asked again alone.

What cannot be caught is an answer under the right id, with the right first words, about another
row's content, where a backfill has no quotes that would betray it.
"""

import json
import re
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate, count, pairwise
from typing import Any, NamedTuple
from uuid import UUID

from tasks.core.answers import BadReason, refused_unread
from tasks.core.backslashes import restored
from tasks.core.folding import fold
from tasks.core.grounding import Span, Text
from tasks.core.responses import Response, Unreadable, Usage
from tasks.core.salvage import encode

MOST_ROWS = 20
WORDS = 8
MOST_CHARACTERS = 60_000
"""Of all rows of a request; a longer row goes alone."""

INSTRUCTION = (
    "Several such texts come in one message, each below a line with its id in brackets. Answer each"
    " as if it had come alone. Return `rows`, one for each text: its `id`, `begins` (its first"
    f" {WORDS} words, copied) and `answer` (what is asked for above)."
)
_OPEN = 20
"""Requests that are being filled at once, for rows that do not go with each other."""

_ROWS = re.compile(r'"rows"\s*+:\s*+\[')
_NEXT = re.compile(r"[^\s,]")
_DECODER = json.JSONDecoder(strict=False)
Json = Mapping[str, Any]


def schema_of(answer: Json) -> dict[str, object]:
    """Return the response schema of several answers."""
    text = {"type": "STRING"}
    item = _object({"id": text, "begins": text, "answer": answer})
    return _object({"rows": {"type": "ARRAY", "items": item}})


def _object(fields: Mapping[str, object]) -> dict[str, object]:
    names = list(fields)
    said = {"properties": fields, "propertyOrdering": names, "required": names}
    return {"type": "OBJECT", **said}


def groups(seed: str, texts: Mapping[str, str], rows: int) -> Iterator[list[str]]:
    """Yield the keys that go together, the same for the same seed, in no order of the source's.

    Rows that begin alike never go together: their first words have to tell them apart.
    """
    begun: list[_Group] = []
    for key in sorted(texts, key=lambda key: _digest(seed + key)):
        group = next((each for each in begun if each.takes(texts[key])), None)
        if group is None:
            begun.append(group := _Group())
        group.add(key, texts[key])
        if len(group.keys) == rows:
            begun.remove(group)
            yield group.keys
        elif len(begun) > _OPEN:
            yield begun.pop(0).keys
    yield from (group.keys for group in begun)


class _Group:
    """Rows that are to go together."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._begins: list[str] = []
        self._characters = 0

    def takes(self, text: str) -> bool:
        begin = _begin(text)
        is_alike = any(begin.startswith(each) or each.startswith(begin) for each in self._begins)
        return not is_alike and self._characters + len(text) <= MOST_CHARACTERS

    def add(self, key: str, text: str) -> None:
        self.keys.append(key)
        self._begins.append(_begin(text))
        self._characters += len(text)


def key_of(keys: Sequence[str]) -> str:
    """Return the key of the request of some doc_ids; it says which they are."""
    if len(keys) == 1:
        return keys[0]
    return ".".join(urlsafe_b64encode(UUID(key).bytes)[:22].decode() for key in keys)


def keys_in(key: str) -> list[str]:
    """Return the doc_ids of a request's key; the key itself where its row was asked alone."""
    if "." not in key:
        return [key]
    try:
        return [str(UUID(bytes=urlsafe_b64decode(f"{part}=="))) for part in key.split(".")]
    except (ValueError, Error):
        return [key]


def shown(keys: Sequence[str], texts: Mapping[str, str]) -> list[str]:
    """Return the parts of a message: each row below its id."""
    return [f"[{name}]\n{texts[key]}\n\n" for name, key in ids(keys).items()]


ITEM_TOKENS = 20
"""Of an answer beside what the same one has alone: its id, its row's first words, marks."""

HEADING = len("[a1b2c]\n\n\n")
"""Characters of a part beside its row's text."""


def ids(keys: Sequence[str]) -> dict[str, str]:
    """Return the rows of one request by short ids that tell nobody what they stand for."""
    found: dict[str, str] = {}
    for key in keys:
        tries = (b32encode(_digest(f"{key}{n}"))[:5].decode().lower() for n in count())
        found[next(each for each in tries if each not in found)] = key
    return found


def _digest(of: str) -> bytes:
    return blake2b(of.encode(), digest_size=8).digest()


def apart(
    lines: Iterable[Response | Unreadable], texts: Mapping[str, str]
) -> Iterator[Response | Unreadable]:
    """Yield a response for each row that was asked, by the rows' texts as far as they are known."""
    for line in lines:
        keys = keys_in(line.key) if line.key else []
        if len(keys) < 2:  # noqa: PLR2004 - asked alone
            yield line
        elif isinstance(line, Unreadable):
            yield from (line._replace(key=key) for key in keys)
        else:
            yield from _Apart(line, keys, texts).responses()


class _Item(NamedTuple):
    """One of the answers in a response."""

    begins: object
    text: str | None


class _Apart:
    """One response to several rows, on its way to one for each."""

    def __init__(self, response: Response, keys: Sequence[str], texts: Mapping[str, str]) -> None:
        self._response, self._keys, self._texts = response, keys, texts
        self._refused = refused_unread(response)
        self._said: dict[str, list[_Item]] = defaultdict(list)
        by_id = ids(keys)
        for name, item in _items("" if self._refused else response.text or ""):
            if name in by_id:
                self._said[by_id[name]].append(item)

    def responses(self) -> Iterator[Response]:
        """Yield what each row got, paid for by what it got of the response."""
        sizes = [sum(len(item.text or "") for item in self._said[key]) for key in self._keys]
        for key, usage in zip(self._keys, shares(self._response.usage, sizes), strict=True):
            others = tuple(other for other in self._keys if other != key)
            one = self._response._replace(key=key, text=None, usage=usage, others=others)
            if astray := self._astray(key):
                # So many requests were refused, not so many rows.
                is_first = key == self._keys[0]
                yield one._replace(astray=astray, error=one.error if is_first else None)
            elif self._refused:
                yield one
            else:
                yield one._replace(text=self._said[key][0].text, finish_reason="STOP")

    def _astray(self, key: str) -> tuple[str, str] | None:
        """Return why a row got no answer of its own; None where it did, or nobody did."""
        if refused := self._refused:
            # It may be for one row's sake that all were refused.
            said = f"{refused.reason}: {refused.detail}"
            return None if refused.reason.is_asked_again else (BadReason.LEFT_OUT, said)
        found = self._said[key]
        if len(found) != 1 or found[0].text is None:
            finish = self._response.finish_reason
            return BadReason.LEFT_OUT, f"{len(found)} answers under its id, the end is {finish}"
        if key not in self._texts:
            return BadReason.LEFT_OUT, "its row was away, so nothing tells whose answer it is"
        known = (other for other in self._keys if other in self._texts)
        others = [self._texts[other] for other in known if other != key]
        if not _is_begin(found[0].begins, self._texts[key], others):
            return BadReason.CROSSED, f"it begins with {str(found[0].begins)[:100]!r}"
        return None


def _items(text: str) -> Iterator[tuple[str, _Item]]:
    """Yield what is whole of a response's items, up to the first that is not."""
    text = restored(text) if "\\" in text else text
    rows = _ROWS.search(text)
    place = rows.end() if rows else len(text)
    while found := _NEXT.search(text, place):
        try:
            said, place = _DECODER.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict) and "answer" in said:
            answer = encode(said["answer"])
            whole = None if answer is None else answer.decode()
            yield str(said.get("id")), _Item(said.get("begins"), whole)


def _is_begin(said: object, own: str, others: Iterable[str]) -> bool:
    """Say whether words are the first ones of a text, and of no other that went with it."""
    words = _letters(str(said))
    is_enough = 2 * len(words) >= len(_begin(own))
    return is_enough and _agrees(words, own) and not any(_agrees(words, each) for each in others)


def _agrees(words: str, text: str) -> bool:
    letters = _letters(text[: 4 * len(words) + 100])
    if not words or not letters:
        return False
    return letters.startswith(words) or words.startswith(letters)


def _begin(text: str) -> str:
    return _letters(" ".join(text.split(maxsplit=WORDS)[:WORDS])[:100])


def _letters(text: str) -> str:
    """Return what is left of a text without marks and blanks, in one case."""
    return "".join(filter(str.isalnum, fold(text)))


def shares(usage: Usage, sizes: Sequence[int]) -> list[Usage]:
    """Return what each row used: output by the size of what it got, all else evenly, to the token.

    What one row used of one kind is a whole number, and the sum of all is what was billed.
    """
    evenly, by_size = [1] * len(sizes), sizes if any(sizes) else [1] * len(sizes)
    split = [
        _split(total, by_size if kind == "output_tokens" else evenly)
        for kind, total in usage._asdict().items()
    ]
    return [Usage(*each) for each in zip(*split, strict=True)]


def _split(total: int, weights: Sequence[int]) -> list[int]:
    whole = sum(weights)
    ends = (total * weight // whole for weight in accumulate(weights, initial=0))
    return [end - start for start, end in pairwise(ends)]


class WatchedText(Text):
    """A row's text that remembers what was looked for in it and does not stand there."""

    def __init__(self, passage: str) -> None:
        super().__init__(passage)
        self._sought: dict[str, bool] = {}

    def find(self, quote: str, near: int | None = None) -> Span | None:
        """Return where the quote stands, or None where it does not."""
        return self._noted(quote, super().find(quote, near))

    def find_alone(self, quote: str) -> Span | None:
        """Return where the quote stands if it does so once."""
        return self._noted(quote, super().find_alone(quote))

    def _noted(self, quote: str, span: Span | None) -> Span | None:
        self._sought[quote] = self._sought.get(quote, False) or span is not None
        return span

    def elsewhere(self, others: Sequence[str | None]) -> str | None:
        """Return a quote that may be another row's: it stands in that one's text and not in this.

        Where none of the quotes stands here, or the other text is not known, the first that does
        not stand here.
        """
        lost = [quote for quote, is_here in self._sought.items() if not is_here and quote.strip()]
        if lost and (None in others or len(lost) == len(self._sought)):
            return lost[0]
        texts = [Text(other) for other in others if other] if lost else []
        return next((each for each in lost if any(text.find(each) for text in texts)), None)
