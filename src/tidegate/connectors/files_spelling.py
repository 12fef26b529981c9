"""How a file spells its values, as far as that must be told: units, forms, zones, decimal signs, yes and no.

It is told among the defaults, beside the field that it is of: `at.format`, `amount.decimal`, `online.true`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tidegate.errors import TidegateError
from tidegate.events.event import FieldContract
from tidegate.events.types import Kind

CURRENCY = ".currency"
EVERY_MISSING = "*.missing"
"""Words that stand for no value in every field."""

VERSION = "*.version"
"""The version of the contract that a file of NDJSON is written to."""

TIME_UNITS = {"s": 1_000_000, "ms": 1000, "us": 1}
"""What numbers of a time may count since 1970 UTC, and how many microseconds each is."""

_OF_KIND: dict[Kind, tuple[str, ...]] = {
    Kind.MONEY: ("unit", "decimal"),
    Kind.TIME: ("zone", "unit", "format", "fold"),
    Kind.FLOAT: ("decimal",),
    Kind.BOOL: ("true", "false"),
}
_CHOICES = {"fold": ("first", "second"), "decimal": (".", ",")}
_DIRECTIVE = re.compile(r"%[-_0]?(?:[YyCmdebBhaAwuUWGgVjDxFvHkIlPpSMRTXrZzcs%+]|[.]?[369]?f|:{1,3}z)")
_OWN_ZONE = re.compile(r"%(?::{0,3}z|Z|\+|s)")


@dataclass(frozen=True)
class Spelling:
    """How the values of one field are written.

    Args:
        zone: where times without a zone are; None if they must bring their own.
        unit: of numbers: `s`, `ms`, `us` of times, `minor` or `major` of money; None if it is not told.
        format: of times that are not written as RFC 3339 says, with the directives of strftime.
        fold: which of the two it is, when a clock that is put back shows a time twice: `first` or `second`.
        decimal: the sign before the fraction, the other of `.` and `,` then stands between thousands; None if neither
            was told, and there are no thousands separators.
        yes, no: the words for true and false, in small letters.
        missing: the words that stand for no value, as they are written, blanks around them apart; of `*.missing`, too,
            which is of every field.
    """

    zone: str | None = None
    unit: str | None = None
    format: str | None = None
    fold: str = "first"
    decimal: str | None = None
    yes: tuple[str, ...] = ("true", "1")
    no: tuple[str, ...] = ("false", "0")
    missing: tuple[str, ...] = ()


def options(contract: Mapping[str, FieldContract]) -> list[str]:
    """What can be told of an event's fields."""
    of_kind = [f"{name}.{option}" for name, one in contract.items() for option in _OF_KIND.get(one.type.kind, ())]
    return [*of_kind, *(f"{name}.missing" for name in contract), EVERY_MISSING]


def spelling(name: str, defaults: Mapping[str, object]) -> Spelling:
    """How a field is spelled.

    Raises:
        TidegateError: an option has a value that it cannot have.
    """

    def told(option: str) -> str | None:
        value = defaults.get(f"{name}.{option}")
        return None if value is None else str(value)

    for option, choices in _CHOICES.items():
        value = told(option)
        if value is not None and value not in choices:
            raise TidegateError(f"{name}.{option} is {' or '.join(map(repr, choices))}.", seen=repr(value))
    zone, form = told("zone"), told("format")
    if zone is not None:
        check_zone(zone)
    if form is not None:
        _check_format(name, form, zone)
    return Spelling(
        zone=zone,
        unit=told("unit"),
        format=form,
        fold=told("fold") or "first",
        decimal=told("decimal"),
        yes=_words(told("true")) or Spelling.yes,
        no=_words(told("false")) or Spelling.no,
        missing=tuple(
            word.strip()
            for text in (told("missing"), defaults.get(EVERY_MISSING))
            for word in str(text or "").split(",")
            if word.strip()
        ),
    )


def _words(told: str | None) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in (told or "").split(",") if word.strip())


def check_zone(zone: str) -> None:
    """Refuse what is not a time zone."""
    try:
        pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone(zone)
    except pl.exceptions.ComputeError:
        raise TidegateError("This is not a time zone.", seen=repr(zone), do="Write 'UTC' or 'Europe/Berlin'.") from None


def _check_format(name: str, form: str, zone: str | None) -> None:
    if "%" not in form or "%" in _DIRECTIVE.sub("", form):
        raise TidegateError(
            f"{name}.format is written with the directives of strftime.",
            seen=repr(form),
            do=f"Write it as in `--default '{name}.format=%d.%m.%Y %H:%M:%S'`.",
        )
    if zone is None and not _OWN_ZONE.search(form):
        raise TidegateError(
            f"Times of the form {form} do not say in which zone they are.",
            do=f"Say which with `--default {name}.zone=Europe/Berlin`, or UTC.",
        )


_DATES = (
    (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    (r"\d{1,2}\.\d{1,2}\.\d{2}", "%d.%m.%y"),
    (r"(?:1[3-9]|[23]\d)/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (r"\d{1,2}/(?:1[3-9]|[23]\d)/\d{4}", "%m/%d/%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
)
_HOURS = (
    (r"\d{1,2}:\d\d:\d\d[.]\d+", "%H:%M:%S%.f"),
    (r"\d{1,2}:\d\d:\d\d [AaPp][Mm]", "%I:%M:%S %p"),
    (r"\d{1,2}:\d\d:\d\d", "%H:%M:%S"),
    (r"\d{1,2}:\d\d [AaPp][Mm]", "%I:%M %p"),
    (r"\d{1,2}:\d\d", "%H:%M"),
)


def likely_format(text: str) -> str:
    """The format that a time which is not RFC 3339 may be written in, for a message; a common one if it is none."""
    for date, form in _DATES:
        if re.fullmatch(date, text):
            return form
        for hours, after in _HOURS:
            if found := re.fullmatch(date + r"([ T]|, )" + hours, text):
                return form + found[1] + after
    return "%d.%m.%Y %H:%M:%S"
