"""Cases of the kit asked of a model."""

from dataclasses import dataclass
from typing import Any

from tidegate.decisions.dmn.kit.cases import Case, Expected, same
from tidegate.decisions.dmn.model import DmnModel, DmnResult
from tidegate.errors import TidegateError
from tidegate.expressions.feel.literals import literal_of
from tidegate.expressions.feel.temporal import DateTime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case went; `words` say what was seen where it did not come out as expected."""

    passed: bool
    words: str = ""


def run_case(model: DmnModel, case: Case, now: DateTime | None = None) -> Outcome:
    """Ask what a case asks, and compare every result that it names."""
    try:
        if case.kind == "decisionService":
            return _compared_service(model.service(case.invocable, case.inputs, now=now), case)
        if case.kind == "bkm":
            made = model.call(case.invocable, case.inputs, now=now)
            return _all([_compared(one, made.value, made) for one in case.results])
        outcomes = []
        for one in case.results:
            name = _name(model, one)
            result = model.evaluate(name, case.inputs, now=now)
            outcomes.append(_compared(one, result.value, result))
        return _all(outcomes)
    except TidegateError as error:
        return Outcome(False, str(error))


def _name(model: DmnModel, one: Expected) -> str:
    """What a model calls the decision that a result names."""
    return model.name_of(one.name, one.namespace) if one.namespace else one.name


def _compared_service(result: DmnResult, case: Case) -> Outcome:
    """A service's answer may be looked at by its outputs' names, or as a whole."""
    outcomes = []
    for one in case.results:
        value = result.value
        if (len(case.results) > 1 and isinstance(value, dict) and one.name in value) or (
            isinstance(value, dict) and set(value) != _keys(one.value) and one.name in value
        ):
            value = value[one.name]
        outcomes.append(_compared(one, value, result))
    return _all(outcomes)


def _keys(value: Any) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


def _compared(one: Expected, value: Any, result: DmnResult) -> Outcome:
    if same(one.value, value):
        return Outcome(True)
    why = f"; {result.reasons[-1]}" if value is None and result.reasons else ""
    return Outcome(False, f"{one.name}: expected {literal_of(one.value)}, was {literal_of(value)}{why}")


def _all(outcomes: list[Outcome]) -> Outcome:
    return next((one for one in outcomes if not one.passed), Outcome(True))
