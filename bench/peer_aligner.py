"""langextract's aligner beside our grounding, where it is installed."""

import importlib.util
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tasks.core.folding import fold

Case = tuple[str, list[str]]
Change = Callable[[str], str]
PASSAGES = 40  # it takes milliseconds for one


def is_there() -> bool:
    """Say whether it is installed."""
    return importlib.util.find_spec("langextract") is not None


def compare(cases: Sequence[Case], kinds: Mapping[str, Change]) -> None:
    """Print its passages a second, and what becomes of quotes changed in each way."""
    if not is_there():
        print("langextract: not run, because it is not installed (pip install -e '.[bench]').")
        return
    few = cases[:PASSAGES]
    began = time.process_time()
    for passage, quotes in few:
        _aligned(passage, quotes)
    rate = len(few) / (time.process_time() - began)
    print(f"langextract, a quote at a time   {rate:9,.0f}/s")
    for kind, change in kinds.items():
        ends: Counter[str] = Counter()
        for passage, quotes in few:
            ends.update(_aligned(passage, [change(quote) for quote in quotes]))
        shown = ", ".join(f"{end} {count / ends.total():.1%}" for end, count in ends.most_common())
        print(f"  {kind:18} {shown}")


def find(passage: str, quote: str) -> tuple[int, int, str] | None:
    """Return [start, end) of a quote, and whether its span says the same but for folding."""
    from langextract.core.data import AlignmentStatus, Extraction
    from langextract.resolver import WordAligner

    # One by one: it takes the quotes of a group for parts of one sequence.
    [[found]] = WordAligner().align_extractions([[Extraction("quote", quote)]], passage)
    where, status = found.char_interval, found.alignment_status
    if where is None or status is None:
        return None
    same = fold(passage[where.start_pos : where.end_pos]) == fold(quote)
    if status is AlignmentStatus.MATCH_EXACT:
        said = "exact" if same else "exact, but another text"
    else:
        said = "normalised" if same else f"approximate ({status.value})"
    return where.start_pos, where.end_pos, said


def _aligned(passage: str, quotes: Sequence[str]) -> list[str]:
    """Return what it says of each quote."""
    said = (find(passage, quote) for quote in quotes)
    return ["refused" if each is None else each[2] for each in said]
