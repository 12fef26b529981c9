"""What a field's value becomes in an event: normalised, or refused because the field's contract does not take it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import copysign, isfinite
from typing import Any

from tidegate.errors import ContractError
from tidegate.events.contract_faults import field_fault
from tidegate.events.currency import DECIMALS
from tidegate.events.event import LAST_YEAR, FieldContract
from tidegate.events.money import MOST_UNITS, Money
from tidegate.events.types import Kind

Mend = Callable[[Any], Any]
"""Gives the value that an event has for one that was read or given. Raises ContractError."""

# At most 18 digits before the point: a number such as 1e99999999 would take minutes and gigabytes to expand.
MONEY_TEXT = r"[+-]?([0-9]{1,18}\.?|[0-9]{0,18}\.[0-9]{1,6}) [A-Z]{3}"
"""Money as text, as a regular expression."""

_MONEY = re.compile(MONEY_TEXT)


def money_limits(field: FieldContract) -> tuple[int, int]:
    """The smallest and the largest amount, in minor units, that a money field takes."""
    about = field.about
    return 0 if about.ge is None else int(about.ge), MOST_UNITS if about.le is None else int(about.le)


_UNLIKE_MONEY = (
    (re.compile(r"[+-]?[0-9][0-9.']*,[0-9.,]*( ?[A-Z]{3})?"), "it has a comma; a point goes before the decimals"),
    (re.compile(r"[A-Z]{3} ?[+-]?[0-9.]+"), "the currency comes after the amount"),
    (re.compile(r"[+-]?[0-9]{19,}(\.[0-9]*)? [A-Z]{3}"), "it has more than 18 digits before the point"),
    (re.compile(r"[+-]?([0-9]+\.?|[0-9]*\.[0-9]+)"), "it has no currency"),
)


def _unlike_money(text: str) -> str:
    """In which way a text is not money, to follow the name of a field."""
    wrong = "is not an amount and a currency"
    return next((f"{wrong}: {said}" for known, said in _UNLIKE_MONEY if known.fullmatch(text)), wrong)


def _money(event: str, field: FieldContract) -> Mend:
    low, high = money_limits(field)
    fixed = field.about.currency
    currencies: Any = DECIMALS if fixed is None else frozenset((fixed,))

    def mend(value: Money | str) -> Money:
        if isinstance(value, str):
            if not _MONEY.fullmatch(value):
                raise field_fault(event, field, _unlike_money(value), value)
            try:
                value = Money.parse(value)
            except ContractError as error:
                raise field_fault(
                    event, field, f"is not an amount of money: {error.wrong.rstrip('.')}", value
                ) from None
        units, currency = value.units, value.currency
        if type(units) is int and low <= units <= high and type(currency) is str and currency in currencies:
            return value
        if type(units) is not int:
            raise field_fault(event, field, "is not a whole number of minor units", units, inside="units")
        if not low <= units <= high:
            negative = units < 0 <= low
            wrong = "is negative" if negative else f"is outside {low} to {high} minor units"
            do = f"It takes {low} to {high} minor units; its contract may take less by Field(ge=…)." if negative else ""
            raise field_fault(event, field, wrong, units, inside="units", do=do)
        if fixed is None:
            wrong, do = "is not in a currency of ISO 4217", "Write its three-letter code, such as 'EUR'."
        else:
            wrong, do = f"is not in {fixed}", f"Convert it to {fixed} first; this field takes no other currency."
        raise field_fault(event, field, wrong, currency, inside="currency", do=do)

    return mend


def _time(event: str, field: FieldContract) -> Mend:
    def mend(value: datetime) -> datetime:
        if value.tzinfo is UTC:
            return value
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise field_fault(event, field, "is not a time between the years 1 and 9999 in UTC", str(value)) from None

    return mend


def happened(event: str, field: FieldContract) -> Mend:
    """Of the event's own time, which also sets what is too late: a time that only stands for "never" is none."""
    to_utc = _time(event, field)

    def mend(value: datetime) -> datetime:
        if value.tzinfo is not UTC:
            value = to_utc(value)
        if value.year <= LAST_YEAR:
            return value
        do = "Leave the event out, or give the time at which it happened."
        raise field_fault(event, field, f"lies after the year {LAST_YEAR}", str(value), do=do)

    return mend


def _float(event: str, field: FieldContract) -> Mend:
    def mend(value: float) -> float:
        if value == 0.0:
            return 0.0 if copysign(1.0, value) < 0 else value  # -0.0 and 0.0 are one number and have one spelling
        if isfinite(value):
            return value
        raise field_fault(event, field, "is not a finite number", value)

    return mend


def _text(event: str, field: FieldContract) -> Mend:
    def mend(value: str) -> str:
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise field_fault(event, field, "holds half of a surrogate pair, which no text has", value) from None
        return value

    return mend


_MENDS = {Kind.MONEY: _money, Kind.TIME: _time, Kind.FLOAT: _float}


def mend_of(event: str, field: FieldContract) -> Mend | None:
    """What makes of a value the one that an event has, or refuses it; none if the type asks for nothing."""
    if field.type.kind in _MENDS:
        return _MENDS[field.type.kind](event, field)
    return _text(event, field) if field.type.is_word and field.choices is None else None
