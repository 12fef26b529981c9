"""What values are to a program: a number each, whatever their type. A text is its place in the model's list."""

import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tidegate.documents.xml import Element
from tidegate.models.pmml.grammar import refuse

__all__ = ["TYPES", "Texts", "Vocabulary", "is_text", "number_of", "parsed", "text_of", "written"]

_PLAIN = ("string", "integer", "float", "double", "boolean", "date", "time", "dateTime", "timeSeconds")
_YEARS = (0, 1960, 1970, 1980)
TYPES = frozenset(
    [*_PLAIN]
    + [f"dateDaysSince[{year}]" for year in _YEARS]
    + [f"dateTimeSecondsSince[{year}]" for year in _YEARS]
)  # fmt: skip
_TRUTHS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}


def is_text(kind: str) -> bool:
    """Whether values of a data type are texts."""
    return kind == "string"


class Texts:
    """The texts of a model, each with a code."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.texts: list[str] = []

    def code(self, text: str) -> float:
        """The code of a text, new if it was not there."""
        code = self.codes.get(text)
        if code is None:
            code = self.codes[text] = len(self.texts)
            self.texts.append(text)
        return float(code)

    def constant(self, text: str, kind: str, element: Element) -> float:
        """A value written in a document. Raises DocumentError if it is none of its type."""
        value = self.code(text) if is_text(kind) else parsed(text.strip(), kind)
        if math.isnan(value):
            raise refuse(element, f"{text!r} is no {kind}.", "Write a value of the field's type.")
        return value


class Vocabulary:
    """The texts of a model while it runs, and beside them those that a batch of rows brings along."""

    def __init__(self, texts: list[str], codes: dict[str, int]) -> None:
        self._texts, self._codes = texts, codes
        self._more: list[str] = []
        self._places: dict[str, int] = {}

    def code(self, text: str) -> int:
        """The code of a text, new for this batch if it was not there."""
        code = self._codes.get(text)
        if code is None:
            code = self._places.get(text)
        if code is None:
            code = self._places[text] = len(self._texts) + len(self._more)
            self._more.append(text)
        return code

    def __getitem__(self, code: int) -> str:
        known = len(self._texts)
        return self._texts[code] if code < known else self._more[code - known]


def parsed(text: str, kind: str) -> float:
    """A text read as a value of a data type other than string; NaN if it is none."""
    try:
        if kind in ("double", "float", "integer", "timeSeconds") or kind.startswith(("dateDays", "dateTimeS")):
            if "_" in text:
                return math.nan
            value = float(text)
            if math.isinf(value) and "inf" not in text.lower():
                return math.nan
            return single(value) if kind == "float" else value
        if kind == "boolean":
            return _TRUTHS.get(text.lower(), math.nan)
        if kind == "date":
            return float(date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal())
        if kind == "time":
            return seconds_of(time.fromisoformat(text))
        return moment_of(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return math.nan


def single(value: float) -> float:
    """The nearest number of single precision."""
    import numpy as np

    with np.errstate(over="ignore"):
        return float(np.float32(value))


def seconds_of(value: time) -> float:
    """A time of day as seconds since midnight."""
    return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6


def moment_of(value: datetime) -> float:
    """A date and time as seconds since 1970, on the clock that it names."""
    days = value.toordinal() - date(1970, 1, 1).toordinal()
    return days * 86400 + seconds_of(value.time())


def number_of(value: Any, kind: str) -> float:
    """A value from outside, other than a text for a text field, as a number; NaN if it is none of the type."""
    if isinstance(value, str):
        return parsed(value.strip(), kind)
    if isinstance(value, datetime):
        return moment_of(value) if kind == "dateTime" else math.nan
    if isinstance(value, date):
        return float(value.toordinal() - date(1970, 1, 1).toordinal()) if kind == "date" else math.nan
    if isinstance(value, time):
        return seconds_of(value) if kind == "time" else math.nan
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    if kind == "boolean" and found not in (0.0, 1.0):
        return math.nan
    return single(found) if kind == "float" else found


def text_of(value: Any) -> str:
    """A value from outside as the text that a text field holds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def clock(seconds: float) -> time | None:
    """The time of day of so many seconds since midnight; None past the day."""
    if not 0 <= seconds < 86400:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).time()


def written(value: Any, kind: str) -> str | None:
    """A value of a data type, decoded, as the text that it is cast to; None where it is out of the type's range."""
    if kind == "time":
        value = clock(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    return None if value is None else text_of(value)
