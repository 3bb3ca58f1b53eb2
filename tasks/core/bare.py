"""Text without what models leave out where they copy: remarks in brackets, marks, entities.

It works on folded text. Marks go from the text and from the quote alike; what stands in brackets
goes from the text alone, and only if the quote does not have it, so that no word of a quote is
ever left out of the comparison.
"""

import html
import re
from collections.abc import Container
from enum import IntEnum
from functools import partial

from tasks.core.folding import Shifts, fold, replaced, tidy

_LONGEST = 200  # characters in brackets that are one remark
_INNER = r"[^()\[\]【】〔〕]"  # noqa: RUF001 - Chinese numbers citations so
_COMMAND = rf"""
    ~?\ ?\\(?:cite|ref|eqref|autoref|label|footnote)[a-z]*\*?
        (?:\[[^\[\]{{}}]{{0,{_LONGEST}}}\])*\{{[^{{}}]{{0,{_LONGEST}}}\}}
"""
_SQUARE = rf"[\[【〔]{_INNER}{{0,{_LONGEST}}}[\]】〕](?!\()"  # noqa: RUF001 - likewise
_ROUND = rf"\({_INNER}{{0,{_LONGEST}}}\)"
_NESTING = rf"\((?:{_INNER}|[(\[]{_INNER}{{0,60}}[)\]]){{0,{_LONGEST}}}\)"
_WIKI = rf"""
    <ref\b[^<>]{{0,{_LONGEST}}}(?:/> | >[^<>]{{0,{_LONGEST}}}</ref>)
    | \{{\{{[^{{}}]{{0,{_LONGEST}}}\}}\}}
"""
_ADDRESS = rf"\((?<=\]\()[^()\ ]{{0,2000}}(?:\ '[^']{{0,{_LONGEST}}}')?\)"  # a link's words stay


def _remarks(*kinds: str) -> re.Pattern[str]:
    return re.compile(rf"{_ADDRESS} | \ ?(?P<remark>{'|'.join(kinds)})", re.VERBOSE)


_OUTERMOST = _remarks(_COMMAND, _WIKI, _NESTING, _SQUARE)
_INNERMOST = _remarks(_COMMAND, _WIKI, _ROUND, _SQUARE)
_ANY_REMARK = re.compile(r"[(\[【〔\\]|<ref|\{\{")  # noqa: RUF001 - likewise
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z][a-zA-Z\d]{1,9});")
_CITATION = re.compile(r"\d{4}|^[\W\d]*$|\\")  # a year, numbers alone, a command
_TAGS = (
    "a|b|i|u|s|p|q|em|br|hr|h[1-6]|li|ol|ul|td|th|tr|del|div|img|ins|pre|sub|sup|code|font|mark"
    "|span|small|strong|table|blockquote"
)
_APOSTROPHES = "'\u2019"
_ALWAYS = "()[]{}【】〔〕*#~|<>†‡•\\"  # noqa: RUF001 - likewise
# Every way begins with a character of its own, so that a search skips all others at once.
_MARKS = re.compile(
    rf"""
    &(?P<entity>\#\d{{1,7}}|\#x[\da-f]{{1,6}}|[a-z][a-z\d]{{1,9}});
  | <sup[^<>]{{0,100}}>[\d,;\ -]{{0,40}}</sup>
  | </?(?:{_TAGS})\b[^<>]{{0,200}}>
  | -(?:(?<=[^\ ]-)\ ?(?=[^\ ])                # a hyphen, also at the end of a line
      | (?<![^\ ]-)-*(?![^\ ]))                 # the mark of a list
  | %(?<![^\ ]%)%*(?![^\ ])                     # marks of comments
  | ;(?<![^\ ];);*(?![^\ ])
  | /(?:(?<![^\ ]/)/+!? | (?=\*) | (?<=\*/))
  | !(?=\[) | \\(?:text[a-z]{{2}}|emph|underline)(?=\{{)
  | '(?!(?<=[^\W_]')[^\W_]) | _(?!(?<=[^\W_]_)[^\W_])       # but inside a word
  | {" | ".join(map(re.escape, _ALWAYS))}
    """,
    re.VERBOSE,
)


class Remarks(IntEnum):
    """Which remarks a bare text is without, but for those that the quote has."""

    ALL = 0
    CITATIONS = 1
    NONE = 2


class Bare:
    """A folded text without marks and some remarks, and the way back to the folded one."""

    def __init__(self, folded: str, without: Remarks, kept: Container[str] = ()) -> None:
        self._layers = [Shifts(), Shifts(), Shifts()]
        spaces, marks, left_out = self._layers
        if without is not Remarks.NONE and _ANY_REMARK.search(folded):
            what_stays = partial(_what_stays, without, kept)
            pattern = _OUTERMOST if without is Remarks.ALL else _INNERMOST
            folded = replaced(folded, pattern, what_stays, left_out)
        self.text = tidy(replaced(folded, _MARKS, _instead, marks), spaces)

    def source(self, place: int) -> int:
        """Return the position in the folded text of the bare text's character at `place`."""
        for layer in self._layers:
            place = layer.source(place)
        return place


def bare(quote: str) -> str:
    """Return a folded quote as a bare text has it."""
    return tidy(_MARKS.sub(_instead, quote)).strip(" -")


def marks_around(quote: str) -> tuple[str, str]:
    """Return what a folded quote has before its bare form's first character and after its last."""
    needle = bare(quote)
    return quote[: quote.find(needle[0])], quote[quote.rfind(needle[-1]) + 1 :]


def remarks(quote: str) -> frozenset[str]:
    """Return what stands in brackets in a folded quote, with its brackets."""
    return frozenset(found["remark"] for found in _OUTERMOST.finditer(quote) if found["remark"])


def whole_entity(text: str, end: int) -> int:
    """Return where a span ends that must not end inside an entity."""
    found = _ENTITY.match(text, end - 1) if text[end - 1] == "&" else None
    return found.end() if found and found[0] != html.unescape(found[0]) else end


def _what_stays(without: Remarks, kept: Container[str], found: re.Match[str]) -> str:
    """Return the remark where it stays, and nothing where it goes."""
    remark = found["remark"]
    stays = remark and (
        remark in kept or (without is Remarks.CITATIONS and not _CITATION.search(remark))
    )
    return found[0] if stays else ""


def _instead(found: re.Match[str]) -> str:
    """Return what an entity stands for, and nothing for all else."""
    if not (name := found["entity"]):
        return ""
    meant = html.unescape(f"&{name};")
    if meant == found[0]:
        return meant
    if meant.isspace():
        return " "
    return "'" if meant in _APOSTROPHES else _MARKS.sub("", fold(meant))
