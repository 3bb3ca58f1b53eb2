"""What models and rows write, as data in Markdown: never HTML, a link, an image or a control."""

import re
from textwrap import wrap
from typing import Any

from tasks.core.unseen import printable

_JOINER = "\u2060"
"""Has no width; what stands around it is read as two things."""

_LONG = re.compile(r"\S{24}(?=\S)")
_SPACE = re.compile(r"\s+")
WIDTH = 56
"""Characters of a line in a block: so many fit beside the menu in a window of 800 pixels."""

_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=[\w.+-])(?=@\w)", re.IGNORECASE)
"""Where an address can be cut: many readers of Markdown make links of bare ones."""
_ACTIVE = re.compile(
    r"[\\|]|<(?=[a-z/!?])|\](?=[(\[:])|&(?=#|\w+;)|(?:^|(?<=^ ))[#>~](?=.)", re.IGNORECASE
)
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~]|&(?=#|\w+;)")

_AS_IT_IS: Any = dict.fromkeys(
    ("expand_tabs", "replace_whitespace", "drop_whitespace", "break_on_hyphens"), False
)


class Markdown(str):
    """A text that is Markdown already."""

    __slots__ = ()


def escape(text: str) -> Markdown:
    """Return text in one line with every character that Markdown reads made plain."""
    return _plain(_MARKS, text)


def breakable(text: str) -> str:
    """Return a text of which a page may break long words, at places that nobody sees."""
    return _LONG.sub("\\g<0>\u200b", text)


def inert(value: object) -> object:
    """Return a template's value with nothing in it that does something; its marks stay marks.

    Our own sentences hold `code` and names_with_lines: those are shown as they always were.
    """
    is_ready = isinstance(value, Markdown) or not isinstance(value, str)
    return value if is_ready else _plain(_ACTIVE, str(value))


def block(text: str) -> Markdown:
    """Return text as a block of code, its lines broken where they are long; nothing in it is read.

    The block is indented, not fenced: no line of the text can end it, or begin one of the page's.
    """
    lines = (wrap(line, WIDTH, **_AS_IT_IS) for line in text.splitlines())
    return Markdown("\n".join(f"    {piece}" for line in lines for piece in line or [""]))


def _plain(read: re.Pattern[str], text: str) -> Markdown:
    line = printable(_SPACE.sub(" ", text))
    return Markdown(_ADDRESS.sub(_JOINER, read.sub(r"\\\g<0>", line)))
