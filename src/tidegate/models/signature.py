"""What a model declares of its inputs, and whether that is what it is given: names, types, units, missing values."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tidegate.errors import ModelError
from tidegate.events.types import Kind, Type

__all__ = ["InputKind", "ModelInput", "require_answer", "require_names", "require_types"]

InputKind = Literal["number", "whole", "truth", "text", "any"]
"""A number, a whole number, a truth value, a text, or a category that is a text or its code."""

_MONEY = re.compile(r"(?P<minor>minor )?(?P<currency>[A-Z]{3})")
_FIELD = re.compile(r"\w+\.\w+")
_TIMES = {
    "us": "", "microseconds": "", "s": "seconds", "seconds": "seconds", "h": "hours", "hours": "hours",
    "d": "days", "days": "days",
}  # fmt: skip
"""Units of durations, and the function that makes them of one; a duration itself is given in microseconds."""


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What a model reads.

    Attributes:
        values: of a text, those that the model knows, if it tells them apart by a list.
        unit: as its author wrote it: a currency ("EUR", "minor EUR" for cents) or a length of time ("seconds"); empty
            if nothing is said.
        answers_missing: whether the model can answer where the value is missing.
    """

    name: str
    kind: InputKind = "number"
    values: tuple[str, ...] = ()
    unit: str = ""
    answers_missing: bool = True


def require_names(own: Sequence[str], given: Sequence[str], reference: str = "") -> None:
    """Make sure that a flow gives a model its features, in its order.

    A field of an event, `Payment.amount` to the flow, is `amount` to a model that does not call it otherwise.

    Raises:
        ModelError: it does not; the first difference, and the nearest name.
    """
    given = [name if name in own or not _FIELD.fullmatch(name) else name.partition(".")[2] for name in given]
    if list(given) == list(own):
        return
    absent = [name for name in own if name not in given]
    extra = [name for name in given if name not in own]
    name = extra[0] if extra else absent[0] if absent else ""
    near = difflib.get_close_matches(name, own if extra else given, n=1)
    wrong = (
        f"it does not read {name!r}" if extra else f"it also reads {name!r}" if absent else "they are in another order"
    )
    raise ModelError(
        f"{reference or 'The model'} is of other features than the flow gives it: {wrong}.",
        seen=", ".join(given),
        do=(f"Did you mean {near[0]!r}? " if near else "") + f"Give {', '.join(own)}, in this order.",
    )


def require_types(inputs: Sequence[ModelInput], types: Sequence[Type], reference: str) -> None:
    """Make sure that what a model is given is of the types and in the units that it declares.

    Raises:
        ModelError: it is not; the first input that is not, and what to write.
    """
    for one, kind in zip(inputs, types, strict=True):
        wrong = _mistyped(one, kind) or _misread(one, kind)
        if wrong:
            what, seen, do = wrong
            raise ModelError(f"{reference} reads {one.name} {what}.", seen=seen, do=do)


def require_answer(texts: Sequence[str] | None, default: float | str, reference: str) -> None:
    """Make sure that a model answers with what a flow's `otherwise` is, a number or a text.

    Raises:
        ModelError: it does not.
    """
    if (texts is not None) == isinstance(default, str):
        return
    raise ModelError(
        f"{reference} answers with a {'number' if texts is None else 'text'}, and its otherwise is "
        f"a {'text' if texts is None else 'number'}.",
        seen=f"otherwise={default!r}",
        do='Write a number, as in otherwise=0.0; or have an output that is a text with output="…".'
        if texts is None
        else 'Write a text, as in otherwise="unknown"; or have an output that is a number with output="…".',
    )


def _mistyped(one: ModelInput, kind: Type) -> tuple[str, str, str] | None:
    if one.kind == "text":
        if not kind.is_word:
            return "as a text", f"the flow gives {_article(kind)}", "Give it a field of text."
        if kind.choices and one.values and not set(kind.choices) & set(one.values):
            return (
                f"as one of {', '.join(one.values[:8])}", f"the flow gives {kind}",
                "Give it the field that it was trained on.",
            )  # fmt: skip
        return None
    if one.kind == "any":
        return None
    said = {"number": "as a number", "whole": "as a whole number", "truth": "as a truth value"}[one.kind]
    seen = f"the flow gives {_article(kind)}"
    if kind.is_word:
        return said, seen, "Give it a number: texts are read only by a model that was trained on them."
    if one.kind == "whole" and kind.is_float:
        return said, seen, "Write round_(…) or floor(…) around it."
    if one.kind == "truth" and kind.kind is not Kind.BOOL:
        return said, seen, "Give it a condition, as in Payment.amount > eur(50)."
    return None


def _misread(one: ModelInput, kind: Type) -> tuple[str, str, str] | None:
    """What is wrong with a unit: money and lengths of time have theirs, plain numbers are what their author says."""
    if not one.unit or kind.kind not in (Kind.MONEY, Kind.DURATION):
        return None
    money = _MONEY.fullmatch(one.unit)
    if kind.kind is Kind.MONEY:
        given = f"minor units of {kind.currency or 'the currency'}"
        seen = f"the flow gives money, in {given}"
        if money is None:
            return f"in {one.unit}", seen, "Give it what it was trained on."
        if kind.currency and kind.currency != money["currency"]:
            return f"in {one.unit}", seen, f"Give it an amount in {money['currency']}."
        if not money["minor"]:
            return (
                f"in {one.unit}",
                seen,
                f"Name a line of it, {one.name} = units(…) / 100 (or the currency's own number of minor units), "
                "and give the model that.",
            )
        return None
    seen = "the flow gives a length of time, in microseconds"
    if one.unit not in _TIMES:
        return f"in {one.unit}", seen, "Write seconds(…), hours(…) or days(…) around it, as it was trained."
    function = _TIMES[one.unit]
    return (f"in {one.unit}", seen, f"Write {function}(…) around it.") if function else None


def _article(kind: Type) -> str:
    words = {
        Kind.BOOL: "a truth value", Kind.INT: "a whole number", Kind.FLOAT: "a number", Kind.TEXT: "a text",
        Kind.TIME: "a time", Kind.DURATION: "a length of time", Kind.MONEY: "money", Kind.KEY: f"a {kind}",
    }  # fmt: skip
    return words[kind.kind]
