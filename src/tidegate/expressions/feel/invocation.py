"""Calls functions: which arguments go to which parameters, the conversions, and how deep calls may go."""

from collections.abc import Sequence
from typing import Any

from tidegate.expressions.feel.functions import Function
from tidegate.expressions.feel.given import Given, Place, Run, Word
from tidegate.expressions.feel.refusals import FeelLimitError
from tidegate.expressions.feel.types import ANY, coerce, told

_DEPTH_OF_CALL = 4
_BUILT_IN, _WRITTEN = 2, 6
"""How many steps a call of a function costs that is built in, or written in FEEL: in time, as many turns of a loop."""
_NONE: Any = object()


def call(function: Any, arguments: Sequence[Any] | dict[str, Any], given: Given | None = None) -> Any:
    """What a function value gives for arguments in order, or by name; for those outside FEEL who hold one.

    Raises:
        FeelLimitError: it takes more work than it may.
    """
    run = Run(given or Given())
    place = Place(getattr(function, "name", "function"), 0, 0)
    try:
        if isinstance(arguments, dict):
            return invoke(function, list(arguments.values()), list(arguments), run, place)
        return invoke(function, arguments, (), run, place)
    except RecursionError:
        raise too_deep(getattr(function, "name", "a function")) from None


def too_deep(where: str) -> FeelLimitError:
    """That calls are nested too deeply."""
    return FeelLimitError(
        "Calls are nested too deeply.", seen=f"within {where}", do="Does a function call itself without an end?"
    )


def invoke(function: Any, arguments: Sequence[Any], names: Sequence[str], run: Run, place: Place | None) -> Any:
    """What a function gives for these arguments; null, with a reason, where it does not take them.

    Args:
        function: the function; null, with a reason, where it is none.
        arguments: the values, in order.
        names: the names of the arguments, or nothing where they go by their order.

    Raises:
        FeelLimitError: the calls are nested too deeply, or there are too many.
    """
    if not isinstance(function, Function):
        return run.null(place, "{} is called, which is no function", function)
    run.spend(_BUILT_IN if function.strict else _WRITTEN)
    reasons = ""
    for each in function.overloads or (function,):
        values, why = _bound(each, arguments, names)
        if not why:
            values, why = _taken(each, values) if each.strict else _converted(each, values, run, place)
        if not why:
            return _called(each, values, run, place)
        reasons = reasons or why
    return run.null(place, "{}: {}", Word(function.name), Word(reasons))


def _called(function: Function, values: list[Any], run: Run, place: Place | None) -> Any:
    depth, outside = run.depth, run.place
    run.depth += function.depth + _DEPTH_OF_CALL
    if run.depth > run.budget.depth:
        raise too_deep(function.name)
    run.place = place
    result = function.run(values, run)
    run.depth, run.place = depth, outside
    if function.result is ANY:
        return result
    result, why = coerce(result, function.result)
    if why:
        run.null(place, "{}: the result is not of the type {}", Word(function.name), Word(function.result))
    return result


def _taken(function: Function, values: list[Any]) -> tuple[list[Any], str]:
    """The arguments as a built-in function takes them, and why it does not."""
    for index, parameter in enumerate(function.parameters):
        value = values[index]
        if value is None:
            if not parameter.nullable:
                return values, f"the parameter {parameter.name!r} is null"
        elif parameter.type is not ANY:
            values[index], why = coerce(value, parameter.type)
            if why:
                return values, f"the parameter {parameter.name!r} is {told(value)}, not of the type {parameter.type}"
    return values, ""


def _converted(function: Function, values: list[Any], run: Run, place: Place | None) -> tuple[list[Any], str]:
    """The arguments as a function written in FEEL takes them: null in the place of those of another type."""
    for index, parameter in enumerate(function.parameters):
        if parameter.type is not ANY:
            value = values[index]
            values[index], why = coerce(value, parameter.type)
            if why:
                reason = "{}: the parameter {} is null, as {} is not of the type {}"
                run.null(place, reason, Word(function.name), Word(parameter.name), value, Word(parameter.type))
    return values, ""


def _bound(function: Function, arguments: Sequence[Any], names: Sequence[str]) -> tuple[list[Any], str]:
    """The arguments in the order of the parameters, and why they cannot be put so.

    By name, what is left out is null; by place, nothing may be left out (DMN 1.5, 10.3.2.13.5).
    """
    parameters = function.parameters
    if names:
        values, why = _by_name(function, arguments, names)
    else:
        values, why = _in_order(function, arguments)
    if why:
        return [], why
    for index, parameter in enumerate(parameters):
        if values[index] is _NONE:
            if not parameter.optional and not names:
                return [], f"the parameter {parameter.name!r} is missing"
            values[index] = None
    return values, ""


def _in_order(function: Function, arguments: Sequence[Any]) -> tuple[list[Any], str]:
    parameters = function.parameters
    if parameters and parameters[-1].variadic:
        fixed = len(parameters) - 1
        if len(arguments) <= fixed:
            return [], f"it takes more than {_counted(fixed)}"
        return [*arguments[:fixed], list(arguments[fixed:])], ""
    if len(arguments) > len(parameters):
        return [], f"it takes {_counted(len(parameters))}, and there are {len(arguments)}"
    return [*arguments, *[_NONE] * (len(parameters) - len(arguments))], ""


def _by_name(function: Function, arguments: Sequence[Any], names: Sequence[str]) -> tuple[list[Any], str]:
    given = dict(zip(names, arguments, strict=True))
    if len(given) < len(names):
        return [], "an argument is given twice"
    values = []
    for parameter in function.parameters:
        value = given.pop(parameter.name, _NONE)
        values.append([value] if parameter.variadic and value is not _NONE and not isinstance(value, list) else value)
    if given:
        known = ", ".join(repr(each.name) for each in function.parameters) or "none"
        return [], f"there is no parameter {next(iter(given))!r}: there is {known}"
    return values, ""


def _counted(number: int) -> str:
    return "one argument" if number == 1 else f"{number or 'no'} arguments"
