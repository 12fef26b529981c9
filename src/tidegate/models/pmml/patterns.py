"""`matches` and `replace`: regular expressions in bounded time, by the machine that FEEL has (ADR 14).

A pattern that is constant, as nearly all are, is read with the document and refused there if it is none or says what
the machine cannot do. One that comes with the row makes the value invalid instead, with the reason.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

from tidegate.documents.xml import Element
from tidegate.errors import DocumentError
from tidegate.expressions.feel.refusals import FeelLimitError
from tidegate.expressions.feel.regex.perl import PerlReader
from tidegate.expressions.feel.regex.program import Program, Spend
from tidegate.expressions.feel.regex.replacement import matched, replacement_parts
from tidegate.expressions.feel.regex.syntax import PatternError
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.plain_patterns import LONGEST, LONGEST_LINEAR, UNICODE, longest_of, plain
from tidegate.models.pmml.scope import Document, HostCall, Scope, Value

__all__ = ["MOST_STEPS", "Cutter", "cutter", "exchanger", "matching", "replacing"]

MOST_STEPS = 500_000
"""How many steps the machine takes for one value: some tenths of a second."""


class _TooLongError(Exception):
    """The machine would take too many steps."""


@lru_cache(maxsize=512)
def _program(pattern: str) -> Program:
    if len(pattern) > LONGEST:
        raise PatternError(f"it is longer than {LONGEST} characters")
    # Java takes (?u) for "(?i) holds for letters beyond ASCII", which is so here at any rate.
    return Program(PerlReader(pattern.removeprefix(UNICODE)))


def _allowance(document: Document) -> Spend:
    """What counts the steps of one value, and while the document is read those of all."""
    left = MOST_STEPS

    def spend(steps: int) -> None:
        nonlocal left
        left -= steps
        document.steps_left -= steps
        if document.steps_left < 0:
            raise DocumentError(
                "The regular expressions of the model take too long in its verification.",
                do="Verify it on fewer rows or on shorter texts.",
            )
        if left < 0:
            raise _TooLongError

    return spend


def matching(pattern: Value, element: Element, scope: Scope) -> HostCall:
    """`matches` for one place of a document: whether the pattern stands somewhere in the text."""
    document, fixed = scope.document, _constant(pattern, element, scope)
    unreadable, long = _faults("matches", element, scope)

    def matches(text: str, pattern: str) -> float | None:
        try:
            program = fixed or _program(pattern)
            if len(text) > LONGEST:
                return long
            return float(program.search(text, 0, _allowance(document)) is not None)
        except PatternError:
            return unreadable
        except (_TooLongError, FeelLimitError):
            return long

    return matches


def replacing(pattern: Value, instead: Value, element: Element, scope: Scope, longest: int) -> HostCall:
    """`replace` for one place of a document: every match replaced; `$1` is what the first group matched.

    Args:
        longest: the most characters that the text may come to.
    """
    document, fixed = scope.document, _constant(pattern, element, scope)
    unreadable, long = _faults("replace", element, scope)
    said = document.constant_text(instead)
    # Whether the pattern has a group is seen only with the pattern.
    if said is not None and (_instead(said, fixed) if fixed else replacement_parts(said, 0)) is None:
        raise refuse(
            element, f"{said!r} is no replacement: a $ is followed by the number of a group of the pattern.",
            seen="replace", do="Write $1 for the first group, \\$ for a dollar and \\\\ for a backslash.",
        )  # fmt: skip

    def replace(text: str, pattern: str, instead: str) -> str | float | None:
        try:
            program = fixed or _program(pattern)
            parts = _instead(instead, program)
            if parts is None:
                return None
            if len(text) > LONGEST:
                return long
            kept, at, size = list[str](), 0, len(text)
            for slots in _all(program, text, _allowance(document)):
                new = "".join(each if isinstance(each, str) else matched(text, slots, each) for each in parts)
                kept += [text[at : slots[0]], new]
                at, size = slots[1], size + len(new)
                if size > longest:
                    return long
            return "".join(kept) + text[at:]
        except PatternError:
            return unreadable
        except (_TooLongError, FeelLimitError):
            return long

    return replace


Cutter = Callable[[str], list[tuple[int, int]] | None]
"""Where a pattern stands in a text, from left to right; None where the text is too long for it."""


def cutter(pattern: str, element: Element, scope: Scope) -> Cutter:
    """What finds a pattern in texts. Raises DocumentError if it is none that can be run."""
    quick, most, document = plain(pattern), longest_of(pattern), scope.document
    if quick is not None:
        return lambda text: [found.span() for found in quick.finditer(text)] if len(text) <= most else None
    program = _read(pattern, element)

    def spans(text: str) -> list[tuple[int, int]] | None:
        if len(text) > LONGEST:
            return None
        try:
            return [(slots[0], slots[1]) for slots in _all(program, text, _allowance(document))]
        except (_TooLongError, FeelLimitError):
            return None

    return spans


def exchanger(
    pattern: str, instead: str, element: Element, scope: Scope, *, ignore_case: bool
) -> Callable[[str], str | None]:  # fmt: skip
    """What replaces a pattern wherever it stands in texts; it gives None where a text is, or becomes, too long."""
    quick = plain(pattern, ignore_case)
    parts = replacement_parts(instead, 0) if quick is not None else None
    if quick is not None and parts is not None and all(isinstance(part, str) for part in parts):
        said, most = "".join(map(str, parts)), longest_of(pattern)
        return lambda text: quick.sub(lambda match: said, text) if len(text) <= most else None
    texts, document = scope.document.texts, scope.document
    wanted = ("(?i)" if ignore_case else "") + pattern.removeprefix(UNICODE)
    given = [document.constant(texts.code(one), "string") for one in (wanted, instead)]
    replace = replacing(given[0], given[1], element, scope, LONGEST_LINEAR)

    def exchange(text: str) -> str | None:
        said = replace(text, wanted, instead)
        return said if isinstance(said, str) else None

    return exchange


def _all(program: Program, text: str, spend: Spend) -> Iterator[list[int]]:
    """All matches from left to right, none within another; after one that took nothing the next is further on."""
    at = 0
    while at <= len(text) and (slots := program.search(text, at, spend)) is not None:
        yield slots
        at = slots[1] + (slots[0] == slots[1])


def _instead(text: str, program: Program) -> list[str | int] | None:
    """The parts of a replacement; None where it is none, or names a group that the pattern does not have."""
    parts = replacement_parts(text, program.groups)
    if parts is None or any(isinstance(part, int) and part > program.groups for part in parts):
        return None
    return parts


def _constant(pattern: Value, element: Element, scope: Scope) -> Program | None:
    """The program of a pattern that is constant. Raises DocumentError if it is none that can be run."""
    text = scope.document.constant_text(pattern)
    if text is None:
        return None
    return _read(text, element)


def _read(text: str, element: Element) -> Program:
    try:
        return _program(text)
    except PatternError as error:
        shown = text if len(text) <= 80 else text[:80] + "…"
        raise refuse(
            element, f"The regular expression {shown} cannot be run: {error}.", seen=repr(shown),
            do="Write it without, as a regular expression of PCRE that takes linear time.",
        ) from None  # fmt: skip


def _faults(name: str, element: Element, scope: Scope) -> tuple[float, float]:
    """What the value is where the pattern is none, and where it would take too long."""
    builder = scope.builder
    return (
        builder.numbers[builder.fault(f"{name} by a text that is no regular expression", element)],
        builder.numbers[builder.fault(f"{name} of a text too long for its regular expression", element)],
    )
