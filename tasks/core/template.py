"""A question's text as a template over columns: "{artist} - {title}"."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple


class TemplateError(ValueError):
    """A template cannot be read; the message says where and what to write."""


class Slot(NamedTuple):
    """A place in a template that one column's value takes."""

    name: str


class Part(NamedTuple):
    """Where a column's value stands in a rendered text: `[start, end)` in code points."""

    column: str
    start: int
    end: int


Piece = str | Slot


@dataclass(frozen=True, slots=True)
class Template:
    """A text with columns in braces; `{{` and `}}` stand for braces themselves."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns in the order of their places; one may have several."""
        return tuple(piece.name for piece in self.pieces if isinstance(piece, Slot))

    @property
    def is_plain(self) -> bool:
        """Return whether the text is one column's value and nothing else."""
        return len(self.pieces) == 1 and bool(self.columns)

    @property
    def question(self) -> str:
        """Return what the template adds to a question: nothing where it is one column's value."""
        return "" if self.is_plain else self.text

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text with these values in it; a column without one counts as empty."""
        return "".join(
            values.get(piece.name, "") if isinstance(piece, Slot) else piece
            for piece in self.pieces
        )

    def parts(self, lengths: tuple[int, ...] | list[int]) -> tuple[Part, ...]:
        """Return where each column's value stands, given the values' lengths in code points."""
        found, place, left = [], 0, iter(lengths)
        for piece in self.pieces:
            if isinstance(piece, Slot):
                size = next(left)
                found.append(Part(piece.name, place, place + size))
                place += size
            else:
                place += len(piece)
        return tuple(found)


@cache
def parse(text: str) -> Template:
    """Return a template; raise TemplateError where a brace is lost or no column is named."""
    pieces: list[Piece] = []
    literal, place = "", 0
    while place < len(text):
        mark = text[place]
        if text[place : place + 2] in ("{{", "}}"):
            literal, place = literal + mark, place + 2
        elif mark == "{":
            end = text.find("}", place)
            name = text[place + 1 : end] if end > 0 else ""
            if not name.strip() or "{" in name:
                raise TemplateError(_lost("{", text))
            pieces += [literal, Slot(name)] if literal else [Slot(name)]
            literal, place = "", end + 1
        elif mark == "}":
            raise TemplateError(_lost("}", text))
        else:
            literal, place = literal + mark, place + 1
    template = Template(text, tuple([*pieces, literal] if literal else pieces))
    if not template.columns:
        raise TemplateError(f"{text!r} names no column: write one in braces, as in '{{title}}'.")
    return template


def _lost(brace: str, text: str) -> str:
    return (
        f"{text!r} has a '{brace}' that belongs to no column: write a column's name in braces, and"
        f" '{brace * 2}' for the character itself."
    )
