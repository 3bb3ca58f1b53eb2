r"""Single backslashes in JSON where two were meant: `"$\beta$"` says a backspace and `eta`.

Only what can be nothing else is restored: LaTeX between dollars, commands of which no word is left
when their first letter is taken for an escape, and backslashes that escape nothing.
"""

import re

# What JSON reads as a tab, an end of a line, a carriage return, and the rest of the command.
_CERTAIN = (
    "tau|theta|times|text[a-z]{0,6}+(?={)|tfrac|tbinom|tilde|triangle[a-z]*+|tiny|therefore"
    "|thickapprox|thicksim|tanh|tan(?=[({^])|nabla|neq|not|notin|nmid|nparallel|nleq|ngeq|nless"
    "|ngtr|nsubseteq|nsupseteq|nexists|ntriangle[a-z]*+|nearrow|nwarrow|nonumber|nolimits"
    "|newcommand|natural|norm|rho|right[a-z]*+|rceil|rfloor|rangle|rVert|rvert|rtimes"
    "|renewcommand"
)
# Of these a word or a letter is left that may well begin a line.
_IN_MATH = f"{_CERTAIN}|to|top|tan|tag|nu|ne|neg|ni|rm|ref"


def _lacking(commands: str) -> re.Pattern[str]:
    """Return two backslashes, or a group "one" where there is one that should be two."""
    return re.compile(
        rf"\\(?:\\|(?P<one>(?=b|f[A-Za-z]|(?<=\^\\)[tnr][a-z]|(?:{commands})(?![A-Za-z])"
        r"""|[^"'\\/bfnrtu]|u(?![0-9a-fA-F]{4}))))""",
        re.DOTALL,
    )


_SUSPICIOUS = re.compile(
    r"\\(?:b|f[A-Za-z]|[tnr][a-zV]|[^\"'\\/bfnrtu]|u(?![0-9a-fA-F]{4}))", re.DOTALL
)
_MOST = 20_000
"""Backslashes that are looked at; an answer with more is no answer."""

_MATH = re.compile(r'\$[^$"]*+\$')
_LACKING = _lacking(_CERTAIN)
_LACKING_IN_MATH = _lacking(_IN_MATH)


def restored(text: str) -> str:
    """Return a text with the backslashes that the JSON in it lacks."""
    if not _SUSPICIOUS.search(text) or text.count("\\") > _MOST:
        return text
    start = max(text.find("{"), 0)
    end = text.rfind("}", start) + 1 or len(text)
    within = _MATH.sub(lambda math: _LACKING_IN_MATH.sub(_escape, math[0]), text[start:end])
    return text[:start] + _LACKING.sub(_escape, within) + text[end:]


def _escape(found: re.Match[str]) -> str:
    return r"\\" if found["one"] is not None else found[0]
