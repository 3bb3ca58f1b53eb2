"""Grounding against bare str.find, on the standard library's docstrings.

python -m bench.grounding prints passages per second of one core, at 10 quotes each: the best of
five rounds, the median in brackets.
"""

import ast
import random
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from bench import peer_aligner
from bench.planted import KINDS, LEAST, Find, row, shares
from bench.scripts import SCRIPTS
from bench.table import Row, emit, ratio
from tasks.core.concepts import PassageEvidence
from tasks.core.folding import fold
from tasks.core.grounding import Match, Text

TABLE = 1_000  # passages
WRONG = "verified wrongly"
Case = tuple[str, list[str]]
LEAST_RATE = 38_955
SPANS = 200  # planted per script


def main() -> None:
    """Print the table."""
    paragraphs = list(_paragraphs(600))[:4_000]
    chance = random.Random(3)  # noqa: S311 - always the same examples
    verbatim = [(each, [_quote(each, chance) for _ in range(10)]) for each in paragraphs]
    mixed = [(each, [_changed(quote, chance) for quote in quotes]) for each, quotes in verbatim]
    print(f"{len(paragraphs)} passages of {median(map(len, paragraphs)):.0f} characters")
    floor = _measured("str.find, verbatim", _find_bare, verbatim, None)
    _measured("find, verbatim", _find, verbatim, floor)
    ours = _measured("find, 9% changed", _find, mixed, floor)
    _measured("find and evidence, 9% changed", _write, mixed, floor)
    wrong = sum(_table(kind, change, verbatim) for kind, change in _KINDS.items())
    peer_aligner.compare(verbatim, _KINDS)
    lacking, peers = _scripts("ours", _find_in, SPANS), ""
    if peer_aligner.is_there():
        found = _scripts("langextract", peer_aligner.find, peer_aligner.PASSAGES)
        peers = f"langextract: {len(found)} of {len(SCRIPTS) * len(KINDS)}"
    rates, bare = ([len(mixed) / each for each in rounds] for rounds in (ours, floor))
    emit(
        Row(
            5,
            "passages a second and core, 10 quotes each, 9 % changed",
            f"{max(rates):,.0f} ({median(rates):,.0f}), {wrong} wrong",
            f"{max(bare):,.0f} ({median(bare):,.0f})",
            ratio(ours, floor),
            f"> {LEAST_RATE:,}, none wrong",
            max(rates) > LEAST_RATE and wrong == 0,
        )
    )
    emit(
        Row(
            5,
            f"kinds of change in {len(SCRIPTS)} scripts ({SPANS} quotes each) below their share",
            ", ".join(lacking) or "none",
            peers,
            target="none",
            is_met=not lacking,
        )
    )


def _scripts(whose: str, find: Find, count: int) -> list[str]:
    """Print what becomes of quotes in every script; return the kinds that are below their share."""
    print(f"{whose}: quotes placed truly, and changed and invented ones not, of {count} per script")
    print(f"  {'':16}{''.join(f'{kind:>12}' for kind in KINDS)}")
    lacking = []
    for name in SCRIPTS:
        found = shares(row(name, count, find))
        if not found:
            print(f"  {name:16}no text of it on this machine")
            continue
        shown = (f"{found[kind]:12.1%}" if kind in found else f"{'-':>12}" for kind in KINDS)
        print(f"  {name:16}{''.join(shown)}")
        lacking += [f"{name}, {kind}" for kind, share in found.items() if share < LEAST[kind]]
    return lacking


def _find_in(passage: str, quote: str) -> tuple[int, int, str] | None:
    span = Text(passage).find(quote)
    return span and (span.start, span.end, str(span.match))


def _table(kind: str, change: Callable[[str], str], cases: list[Case]) -> int:
    """Print what becomes of quotes changed in one way; return how many are verified wrongly.

    A verified quote must fold to what stands at its span; one that says something else never does.
    """
    ends: Counter[str] = Counter()
    for passage, quotes in cases[:TABLE]:
        text = Text(passage)
        for quote in quotes:
            changed = change(quote)
            if (span := text.find(changed)) is None:
                ends["refused"] += 1
            elif span.match is Match.APPROXIMATE:
                ends["approximate"] += 1
            else:
                same = fold(passage[span.start : span.end]) == fold(changed)
                ends["verified" if same and kind not in _NEVER else WRONG] += 1
    shown = ", ".join(f"{end} {count / ends.total():.1%}" for end, count in ends.most_common())
    print(f"  {kind:18} {shown}")
    return ends[WRONG]


def _find_bare(cases: list[Case]) -> None:
    for passage, quotes in cases:
        for quote in quotes:
            passage.find(quote)


def _find(cases: list[Case]) -> None:
    for passage, quotes in cases:
        find = Text(passage).find
        for quote in quotes:
            find(quote)


def _write(cases: list[Case]) -> None:
    for passage, quotes in cases:
        about = PassageEvidence(Text(passage)).about
        for quote in quotes:
            about(quote[:10], [quote], 0.9)


def _measured(
    name: str,
    work: Callable[[list[Case]], None],
    cases: list[Case],
    floor: Sequence[float] | None,
) -> Sequence[float]:
    rounds = []
    for _ in range(5):
        began = time.process_time()
        work(cases)
        rounds.append(time.process_time() - began)
    best = min(rounds)
    times = f"{best / min(floor):6.1f} x" if floor else ""
    rate, usual = len(cases) / best, len(cases) / median(rounds)
    print(f"{name:32} {rate:9,.0f}/s ({usual:9,.0f}) {times}")
    return rounds


def _quote(passage: str, chance: random.Random) -> str:
    words = passage.split()
    length = chance.randint(4, 14)
    start = chance.randrange(max(1, len(words) - length))
    return " ".join(words[start : start + length])


_CHANGES: dict[str, Callable[[str], str]] = {
    "none": lambda quote: quote,
    "case": str.upper,
    "white space": lambda quote: quote.replace(" ", "\n", 1),
    "one word more": lambda quote: quote.replace(" ", " zebra ", 1),
    "invented": lambda _: "entirely invented words that nobody ever wrote in here",
}


_KINDS: dict[str, Callable[[str], str]] = {
    "exact": lambda quote: quote,
    "white space": lambda quote: quote.replace(" ", " \n "),
    "case": str.swapcase,
    "Unicode": lambda quote: quote.translate({39: "\u2019", 34: "\u201d", 45: "\u2013"}) + "\u200b",
    "one word changed": lambda quote: quote.replace(" ", " zebra ", 1),
    "invented": lambda _: "entirely invented words that nobody ever wrote in here",
}
_NEVER = ("one word changed", "invented")


def _changed(quote: str, chance: random.Random) -> str:
    """Return 91% of quotes as they are; of the rest most differ in nothing that counts."""
    (kind,) = chance.choices(list(_CHANGES), weights=[91, 4, 3, 1, 1])
    return _CHANGES[kind](quote)


def _paragraphs(size: int) -> Iterator[str]:
    taken: list[str] = []
    length = 0
    for word in _words():
        taken.append(word)
        length += len(word) + 1
        if length > size:
            yield " ".join(taken)
            taken, length = [], 0


def _words() -> Iterator[str]:
    library = Path(sysconfig.get_path("stdlib"))
    for name in sorted(sys.stdlib_module_names):
        if (path := library / f"{name}.py").is_file():
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    yield from (ast.get_docstring(node) or "").split()


if __name__ == "__main__":
    main()
