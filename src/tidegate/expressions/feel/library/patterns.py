"""Functions of regular expressions: `matches`, `replace`, `split` (DMN 1.5, 10.3.4.3; XPath Functions 3.1, 5.6)."""

from collections.abc import Iterator
from typing import Any

from tidegate.expressions.feel.given import Run, Word
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.regex.program import Program, program
from tidegate.expressions.feel.regex.replacement import matched, replacement_parts
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
    parts: list[str | int] | None = (
        [replacement] if "q" in (flags or "") else replacement_parts(replacement, found.groups)
    )
    if parts is None:
        return run.why("in {} a $ is followed by the number of a group, and a \\ by $ or \\", replacement)
    kept: list[str] = []
    at = size = 0
    for slots in _matches(run, found, text):
        new = [each if isinstance(each, str) else matched(text, slots, each) for each in parts]
        kept += [text[at : slots[0]], *new]
        size += sum(map(len, new))
        run.budget.sized(size + len(text))
        at = slots[1]
    return "".join(kept) + text[at:]


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
