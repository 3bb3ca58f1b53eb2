"""Texts of many scripts, and what their readers do not count.

The texts are read where they lie: message catalogues of the system in the languages of a script,
and the standard library's source. A machine that has none of a script has an empty row.
"""

import gettext
import random
import re
import sys
import sysconfig
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CATALOGUES = (Path("/usr/share/locale"), Path("/usr/share/locale-langpack"))
PASSAGE = 600  # characters
_LEAST_MESSAGE = 25

Chance = random.Random
Change = Callable[[str, Chance], str]


@dataclass(frozen=True)
class Script:
    """A row of the table: whose messages it is made of, and what its readers do not count.

    Attributes:
        letters: what the names of its letters begin with; a message is of these before all.
        has_blanks: whether words stand between blanks.
        loosened: the same text as its readers may write it too.
        prepared: what is made of a passage first.
    """

    languages: tuple[str, ...]
    letters: tuple[str, ...]
    loosened: Change
    has_blanks: bool = True
    prepared: Change = field(default=lambda text, _: text)


def _decomposed(text: str, _: Chance) -> str:
    return unicodedata.normalize("NFD", text)


def _curled(text: str, chance: Chance) -> str:
    curled = text.translate({39: "\u2019", 34: "\u201d", 45: "\u2013"})
    place = chance.randrange(1, len(curled))
    return _decomposed(curled[:place] + "\u200b" + curled[place:], chance)


def _vowelled(first: int, last: int) -> Change:
    def change(text: str, chance: Chance) -> str:
        """Put vowel marks on every other letter, and make the Arabic ones longer."""
        marked = [
            each + (chr(chance.randint(first, last)) if each.isalpha() and at % 2 else "")
            for at, each in enumerate(text)
        ]
        return "".join(marked)

    return change


def _arabic(text: str, chance: Chance) -> str:
    bare = text.translate({0x623: "\u0627", 0x625: "\u0627", 0x622: "\u0627"})
    longer = re.sub(r"([\u0628\u0633\u062a])(?=[\u0621-\u064a])", "\\1\u0640", bare, count=1)
    return _vowelled(0x64B, 0x652)(longer, chance)


def _hebrew(text: str, chance: Chance) -> str:
    quoted = text.replace('"', "\u05f4").replace("'", "\u05f3")
    return _vowelled(0x5B0, 0x5BB)(quoted, chance)


def _wide(text: str, _: Chance) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


_HALF = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF66, 0xFF9E)}


def _half_width(text: str, chance: Chance) -> str:
    """Write kana in half width, where each has one, and all else in full width."""
    found = []
    for each in text:
        base, *marks = list(unicodedata.normalize("NFD", each))
        if base in _HALF and set(marks) <= {"\u3099", "\u309a"}:
            found.append(
                _HALF[base] + "".join("\uff9e" if m == "\u3099" else "\uff9f" for m in marks)
            )
        else:
            found.append(_wide(each, chance))
    return "".join(found)


def _joined(text: str, chance: Chance) -> str:
    """Decompose, and leave a joiner where no one sees it."""
    place = chance.randrange(1, len(text))
    return _decomposed(text[:place], chance) + "\u200b" + _decomposed(text[place:], chance)


_EMOJI = (
    "\U0001f469\u200d\U0001f4bb",
    "\U0001f44d\U0001f3fd",
    "\U0001f1e9\U0001f1ea",
    "\u2764\ufe0f",
    "\U0001f389",
)


def _with_emoji(text: str, chance: Chance) -> str:
    words = text.split(" ")
    for _ in range(len(words) // 4):
        words.insert(chance.randrange(len(words)), chance.choice(_EMOJI))
    return " ".join(words)


def _without_selectors(text: str, _: Chance) -> str:
    return text.replace("\ufe0f", "").replace("\u200d", "")


def _mixed(text: str, chance: Chance) -> str:
    """Put Latin words and numbers with direction marks between the others."""
    words = text.split(" ")
    for _ in range(len(words) // 4):
        latin = chance.choice(
            ["Linux", "\u200eGNU/Linux\u200e", "\u20683.14\u2069", "README", "(UTF-8)"]
        )
        words.insert(chance.randrange(len(words)), latin)
    return " ".join(words)


def _without_directions(text: str, chance: Chance) -> str:
    return _arabic(re.sub("[\u200e\u200f\u2066-\u2069]", "", text), chance)


def _retyped(text: str, _: Chance) -> str:
    return text.replace("'", "\u2019").replace('"', "\u201c").replace("-", "\u2212").upper()


SCRIPTS = {
    "Latin": Script(("de", "fr", "pl", "tr", "cs"), ("LATIN",), _curled),
    "Cyrillic": Script(("ru", "uk", "bg"), ("CYRILLIC",), _curled),
    "Greek": Script(("el",), ("GREEK",), _curled),
    "Arabic": Script(("ar", "fa"), ("ARABIC",), _arabic),
    "Hebrew": Script(("he",), ("HEBREW",), _hebrew),
    "Devanagari": Script(("hi", "mr", "ne"), ("DEVANAGARI",), _joined),
    "Bengali": Script(("bn", "as"), ("BENGALI",), _joined),
    "Thai": Script(("th",), ("THAI",), _joined, has_blanks=False),
    "Khmer": Script(("km",), ("KHMER",), _joined, has_blanks=False),
    "Chinese": Script(("zh_CN", "zh_TW"), ("CJK",), _wide, has_blanks=False),
    "Japanese": Script(("ja",), ("CJK", "HIRAGANA", "KATAKANA"), _half_width, has_blanks=False),
    "Korean": Script(("ko",), ("HANGUL",), _decomposed),
    "Vietnamese NFD": Script(
        ("vi",),
        ("LATIN",),
        lambda text, _: unicodedata.normalize("NFC", text),
        prepared=_decomposed,
    ),
    "mixed RTL": Script(
        ("ar", "fa", "he"), ("ARABIC", "HEBREW"), _without_directions, prepared=_mixed
    ),
    "emoji": Script(("es", "ru"), ("LATIN", "CYRILLIC"), _without_selectors, prepared=_with_emoji),
    "code": Script((), (), _retyped),
}


@cache
def passages(name: str, most: int = 400) -> tuple[str, ...]:
    """Return texts of a script, always the same on one machine; none where it has none."""
    script, chance = SCRIPTS[name], Chance(name)
    lines = list(_code() if name == "code" else _messages(script))
    chance.shuffle(lines)
    found: list[str] = []
    taken: list[str] = []
    for line in lines:
        taken.append(line)
        if sum(map(len, taken)) >= PASSAGE:
            found.append(script.prepared(("\n" if name == "code" else " ").join(taken), chance))
            taken = []
        if len(found) == most:
            break
    return tuple(found)


def _messages(script: Script) -> Iterator[str]:
    seen: set[str] = set()
    for language in script.languages:
        files = [
            f for root in CATALOGUES for f in sorted(root.glob(f"{language}/LC_MESSAGES/*.mo"))
        ]
        for file in files:
            for message in _catalogue(file):
                line = " ".join(message.split())
                if len(line) >= _LEAST_MESSAGE and line not in seen and _is_of(script, line):
                    seen.add(line)
                    yield line


def _catalogue(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            # The catalogue itself is not public, and asking for every message needs their keys.
            found = gettext.GNUTranslations(opened)._catalog  # type: ignore[attr-defined]  # noqa: SLF001
    except (OSError, UnicodeDecodeError, ValueError):
        return []
    return [message for key, message in found.items() if key and isinstance(message, str)]


def _is_of(script: Script, line: str) -> bool:
    letters = [each for each in line if each.isalpha()]
    own = sum(unicodedata.name(each, "").startswith(script.letters) for each in letters)
    return own * 2 > len(letters)


def _code() -> Iterator[str]:
    library = Path(sysconfig.get_path("stdlib"))
    for name in sorted(sys.stdlib_module_names):
        if (path := library / f"{name}.py").is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            for start in range(0, len(lines) - 6, 30):
                yield "\n".join(lines[start : start + 6])
