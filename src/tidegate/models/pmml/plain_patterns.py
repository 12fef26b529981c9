"""Regular expressions so plain that Python's own machine runs them in bounded time.

They cut texts into words and name words to leave out, thousands of times a row: characters, sets of characters, word
boundaries, and groups of plain alternatives, with a single `+` at most. Whatever is not of this form is run by the
machine of bounded time (see `patterns`), which says the same and is slower.
"""

import re
from functools import lru_cache

__all__ = ["LONGEST", "LONGEST_LINEAR", "UNICODE", "longest_of", "plain"]

LONGEST = 10_000
"""The most characters of a text that a pattern is tried on, and of a pattern."""
LONGEST_LINEAR = 100_000
"""The same for a pattern that never goes back over what it has read."""

_SET = r"\[\^?(?:\\[wWsSdD.\-]|[^\\\[\]&:])+\]"
_LITERAL = r"[\w ,;'\"/@#%<>=~`-]|\\[.$*+?()\[\]{}|^/\\-]"
_WORDS = rf"\((?:\?:)?(?:{_LITERAL})+(?:\|(?:{_LITERAL})+)*\)(?![*+?{{])"
_PLAIN = re.compile(rf"(?:\\[bB]|(?:\\[wWsSdD]|{_SET}|{_LITERAL})(\+(?![+?]))?(?![*?{{])|{_WORDS})+", re.DOTALL)
_PLUS = re.compile(rf"\\.|{_SET}|(\+)", re.DOTALL)
_NEVER_BACK = re.compile(r"[^+]*(?:\\\+[^+]*)*(?:\+|\\w\+\\b)?", re.DOTALL)
UNICODE = "(?u)"
"""The flag by which Python says that letters are not only those of ASCII."""


@lru_cache(maxsize=512)
def plain(pattern: str, ignore_case: bool = False) -> "re.Pattern[str] | None":
    """The pattern for Python's machine; None if it is not of the plain form.

    `\\w`, `\\s`, `\\d` and `\\b` are of ASCII, as in PCRE and Java. With `(?u)` before them they are of all letters, as
    in Python, whose exporters write it.
    """
    body = pattern.removeprefix(UNICODE)
    if not _PLAIN.fullmatch(body) or sum(found.group(1) is not None for found in _PLUS.finditer(body)) > 1:
        return None
    letters = re.ASCII if body == pattern else re.UNICODE
    try:
        return re.compile(body, letters | (re.IGNORECASE if ignore_case else 0))
    except re.error:
        return None


def longest_of(pattern: str) -> int:
    """The most characters of a text that a plain pattern is tried on."""
    return LONGEST_LINEAR if _NEVER_BACK.fullmatch(pattern) else LONGEST
