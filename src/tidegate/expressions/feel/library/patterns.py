"""Functions of regular expressions: `matches`, `replace`, `split` (DMN 1.5, 10.3.4.3; XPath Functions 3.1, 5.6)."""

from collections.abc import Iterator
from typing import Any

from tidegate.expressions.feel.given import Run, Word
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.regex.program import Program, program
from tidegate.expressions.feel.regex.syntax import PatternError


def _program(run: Run, pattern: str, flags: str | None) -> Program | None:
    """The program of a pattern; None, with a reason, where it is none."""
    try:
        return program(pattern, "".join(sorted(set(flags or ""))))
    except PatternError as error:
        run.why("{} is no regular expression: {}", pattern, Word(error))
        return None


def _matches(run: Run, found: Program, text: str) -> Iterator[list[int]]:
    """All matches, none within another; each where it and its groups begin and end."""
    at = 0
    while (slots := found.search(text, at, run.spend)) is not None:
        yield slots
        at = slots[1]


def _takes_nothing(run: Run, found: Program) -> bool:
    return found.search("", 0, run.spend) is not None


@builtin("matches(input: string, pattern: string, flags?: string)")
def matches(run: Run, text: str, pattern: str, flags: str | None) -> Any:
    """Whether the pattern stands somewhere in the text."""
    found = _program(run, pattern, flags)
    return None if found is None else found.search(text, 0, run.spend) is not None


@builtin("replace(input: string, pattern: string, replacement: string, flags?: string)")
def replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None) -> Any:
    """The text with each match replaced; `$1` is what the first group matched, `$0` all of it."""
    found = _program(run, pattern, flags)
    if found is None:
        return None
    if _takes_nothing(run, found):
        return run.why("the pattern {} matches nothing at all, which cannot be replaced", pattern)
    parts: list[str | int] | None = [replacement] if "q" in (flags or "") else _replacement(replacement, found.groups)
    if parts is None:
        return run.why("in {} a $ is followed by the number of a group, and a \\ by $ or \\", replacement)
    kept: list[str] = []
    at = size = 0
    for slots in _matches(run, found, text):
        new = [each if isinstance(each, str) else _matched(text, slots, each) for each in parts]
        kept += [text[at : slots[0]], *new]
        size += sum(map(len, new))
        run.budget.sized(size + len(text))
        at = slots[1]
    return "".join(kept) + text[at:]


def _matched(text: str, slots: list[int], group: int) -> str:
    begin, end = slots[2 * group : 2 * group + 2] if 2 * group < len(slots) else (-1, -1)
    return text[begin:end] if begin >= 0 and end >= 0 else ""


def _replacement(text: str, groups: int) -> list[str | int] | None:
    """The text that comes in, its groups as their numbers; None where a sign stands alone."""
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        sign, following = text[at], text[at + 1 : at + 2]
        if sign == "\\":
            if following not in ("\\", "$"):
                return None
            parts.append(following)
            at += 2
        elif sign == "$":
            if not (following.isascii() and following.isdecimal()):
                return None
            end = at + 2
            # As many digits as name a group that there is; the first counts whether there is one or not.
            while text[end : end + 1].isdecimal() and text[end].isascii() and int(text[at + 1 : end + 1]) <= groups:
                end += 1
            parts.append(int(text[at + 1 : end]))
            at = end
        else:
            parts.append(sign)
            at += 1
    return parts


@builtin("split(string: string, delimiter: string)")
def split(run: Run, text: str, delimiter: str) -> Any:
    """What stands between the matches of the delimiter, a regular expression."""
    found = _program(run, delimiter, None)
    if found is None:
        return None
    if _takes_nothing(run, found):
        return run.why("the delimiter {} matches nothing at all", delimiter)
    parts: list[str] = []
    at = 0
    for slots in _matches(run, found, text):
        parts.append(text[at : slots[0]])
        at = slots[1]
    return [*parts, text[at:]]
