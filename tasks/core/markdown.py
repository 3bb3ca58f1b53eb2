"""What models and rows write, as data in Markdown: never HTML, a link, or an image."""

import re

_JOINER = "\u2060"
"""Has no width; what stands around it is read as two things."""

_SPACE = re.compile(r"\s+")
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=[\w.+-])(?=@\w)", re.IGNORECASE)
"""Where an address can be cut: many readers of Markdown make links of bare ones."""
_ACTIVE = re.compile(r"[\\|]|<(?=[a-z/!?])|\](?=[(\[:])|&(?=#|\w+;)|^[#>~](?=.)", re.IGNORECASE)
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~]|&(?=#|\w+;)")


class Markdown(str):
    """A text that is Markdown already."""

    __slots__ = ()


def escape(text: str) -> Markdown:
    """Return text in one line with every character that Markdown reads made plain."""
    return _plain(_MARKS, text)


def inert(value: object) -> object:
    """Return a template's value with nothing in it that does something; its marks stay marks.

    Our own sentences hold `code` and names_with_lines: those are shown as they always were.
    """
    is_ready = isinstance(value, Markdown) or not isinstance(value, str)
    return value if is_ready else _plain(_ACTIVE, str(value))


def _plain(read: re.Pattern[str], text: str) -> Markdown:
    line = _SPACE.sub(" ", text)
    return Markdown(_ADDRESS.sub(_JOINER, read.sub(r"\\\g<0>", line)))
