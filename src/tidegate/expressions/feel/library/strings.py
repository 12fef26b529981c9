"""Functions of strings (DMN 1.5, 10.3.4.3). Characters are Unicode code points, and places count from 1."""

from decimal import Decimal
from typing import Any

from tidegate.expressions.feel import numbers
from tidegate.expressions.feel.given import Run
from tidegate.expressions.feel.library.signatures import builtin


def part(run: Run, values: Any, start: Decimal, length: Decimal | None) -> Any:
    """The part of a string or list from a place on, of this length if there is one; -1 is the last place."""
    at, most = numbers.whole(start), None if length is None else numbers.whole(length)
    if at is None or at == 0 or abs(at) > len(values):
        return run.why("{} is no place in {}", start, values)
    if length is not None and (most is None or most < 1):
        return run.why("{} is no length", length)
    begin = at - 1 if at > 0 else len(values) + at
    return values[begin:] if most is None else values[begin : begin + most]


@builtin("substring(string: string, start position: number, length?: number)")
def substring(run: Run, string: str, start: Decimal, length: Decimal | None) -> Any:
    """The characters from a place on; a negative place counts from the end."""
    if length is not None and length >= 1:
        length = length.to_integral_value("ROUND_DOWN")
    return part(run, string, start.to_integral_value("ROUND_DOWN"), length)


@builtin("string length(string: string)")
def string_length(run: Run, string: str) -> Any:
    """How many characters."""
    return Decimal(len(string))


@builtin("upper case(string: string)")
def upper_case(run: Run, string: str) -> Any:
    """In capitals."""
    return string.upper()


@builtin("lower case(string: string)")
def lower_case(run: Run, string: str) -> Any:
    """In small letters."""
    return string.lower()


@builtin("substring before(string: string, match: string)")
def substring_before(run: Run, string: str, match: str) -> Any:
    """What stands before the first match; nothing where there is none."""
    at = string.find(match)
    return string[:at] if at > 0 else ""


@builtin("substring after(string: string, match: string)")
def substring_after(run: Run, string: str, match: str) -> Any:
    """What stands behind the first match; nothing where there is none."""
    at = string.find(match)
    return string[at + len(match) :] if at >= 0 else ""


@builtin("contains(string: string, match: string)")
def contains(run: Run, string: str, match: str) -> Any:
    """Whether the match stands within."""
    return match in string


@builtin("starts with(string: string, match: string)")
def starts_with(run: Run, string: str, match: str) -> Any:
    """Whether the match stands at the start."""
    return string.startswith(match)


@builtin("ends with(string: string, match: string)")
def ends_with(run: Run, string: str, match: str) -> Any:
    """Whether the match stands at the end."""
    return string.endswith(match)


@builtin("string join(list: list, delimiter?: string)")
def string_join(run: Run, values: list[Any], delimiter: str | None) -> Any:
    """The strings of a list, with the delimiter between them; nulls are left out."""
    texts = [each for each in values if each is not None]
    for each in texts:
        if not isinstance(each, str):
            return run.why("the list holds {}, which is no string", each)
    run.budget.sized(sum(map(len, texts)) + len(texts) * len(delimiter or ""))
    return (delimiter or "").join(texts)
