"""Random inputs for a model, of the types of its input data: with null, values at the edge, and words of its own."""

import re
from html import unescape
from typing import Any

from hypothesis import strategies as st

from tidegate.decisions.dmn import DmnModel
from tidegate.decisions.dmn.kinds import Both, Check, Each, Entries, Passes
from tidegate.expressions.feel import types
from tidegate.expressions.feel.durations import parse_duration
from tidegate.expressions.feel.expression import parse
from tidegate.expressions.feel.numbers import number
from tidegate.expressions.feel.refusals import FeelError
from tidegate.expressions.feel.temporal import parse_date, parse_date_time, parse_time
from tidegate.expressions.feel.types import ContextType, ListType, Type

_NUMBERS = ["0", "1", "-1", "2", "10", "100", "0.1", "-0.5", "1e10", "600", "12345678901234567890.123456789", "1e-20"]
_DATES = ["2020-02-29", "2021-12-31", "1970-01-01", "2026-11-28", "0999-01-01"]
_TIMES = ["10:30:00", "00:00:00", "23:59:59.999", "10:30:00Z", "10:30:00+05:30", "10:30:00@Etc/UTC"]
_DURATIONS = {
    types.YEARS_MONTHS: ["P0M", "P1Y", "-P3M", "P1Y2M", "P120Y"],
    types.DAYS_TIME: ["PT0S", "P1D", "-PT1H", "P1DT2H", "PT90S"],
}
_VALUES: dict[Type, list[Any]] = {
    types.STRING: ["", "a", "foo", "Ünïcode 😀", "2020-02-29", "1"],
    types.BOOLEAN: [True, False],
    types.DATE: [parse_date(text) for text in _DATES],
    types.TIME: [parse_time(text) for text in _TIMES],
    types.DATE_TIME: [parse_date_time(f"{day}T{time}") for day in _DATES for time in _TIMES],
}
_VALUES.update({kind: [parse_duration(text) for text in texts] for kind, texts in _DURATIONS.items()})


def inputs_of(model: DmnModel, data: bytes) -> st.SearchStrategy[dict[str, Any]]:
    """Inputs of a model in this file."""
    words = Words(data)
    return st.fixed_dictionaries({name: words.of(kind.type, kind.check) for name, kind in model.inputs.items()})


class Words:
    """The numbers and strings that a model compares with, and values of its types made of them."""

    def __init__(self, data: bytes) -> None:
        text = unescape(data.decode())
        said = [number(one) for one in re.findall(r"(?<![\w.-])\d{1,7}(?:\.\d{1,4})?(?![\w.-])", text)]
        near = [one + step for one in said if one is not None for step in (-1, 0, 1)]
        self.numbers = list(dict.fromkeys([*map(number, _NUMBERS), *near[:150]]))
        self.strings = list(dict.fromkeys([*_VALUES[types.STRING], *re.findall(r'"([^"<>&\\]{1,40})"', text)[:80]]))

    def of(self, kind: Type, check: Check | None = None) -> st.SearchStrategy[Any]:
        """Values of a type, mostly such as pass the check; and null."""
        allowed = _allowed(check)
        if allowed:
            return st.one_of(st.sampled_from(allowed), st.sampled_from(allowed), self._of(kind, check))
        return self._of(kind, check)

    def _of(self, kind: Type, check: Check | None) -> st.SearchStrategy[Any]:
        if isinstance(kind, ContextType):
            checks = check.checks if isinstance(check, Entries) else {}
            entries = {name: self.of(one, checks.get(name)) for name, one in kind.entries.items()}
            return st.fixed_dictionaries(entries)
        if isinstance(kind, ListType):
            return st.lists(self.of(kind.item, check.check if isinstance(check, Each) else None), max_size=4)
        if kind is types.NUMBER:
            return st.one_of(st.sampled_from(self.numbers), st.none(), st.integers(-20, 200).map(number))
        if kind is types.STRING:
            return st.one_of(st.sampled_from(self.strings), st.none())
        if kind in _VALUES:
            return st.sampled_from([*_VALUES[kind], None])
        return st.sampled_from([*self.numbers[:6], *self.strings[:6], None, True, [], [number(1), None], {}])


def _allowed(check: Check | None) -> list[Any]:
    """The values of a list of allowed ones, if it is one of plain values."""
    if isinstance(check, Both):
        return _allowed(check.first) or _allowed(check.then)
    if not isinstance(check, Passes):
        return []
    try:
        found = parse(f"[{check.text}]").evaluate({})
    except FeelError:
        return []
    return found if all(isinstance(one, str | type(number(1))) for one in found) else []
