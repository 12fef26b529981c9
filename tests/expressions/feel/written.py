"""FEEL nodes written out again, with no more brackets than their meaning needs."""

from typing import Any

from tidegate.expressions.feel import nodes
from tidegate.expressions.feel.literals import literal_of, quoted

_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER, _UNARY, _VALUE = range(1, 9)
_LEVELS = {"+": _ADD, "-": _ADD, "*": _MULTIPLY, "/": _MULTIPLY, "**": _POWER}


def write(node: nodes.Node) -> str:
    """The text of a node."""
    return _write(node)[0]


def _at(node: nodes.Node, level: int) -> str:
    text, own = _write(node)
    return text if own >= level else f"({text})"


def _write(node: Any) -> tuple[str, int]:
    match node:
        case nodes.Constant(value, at):
            return (f"@{quoted(at)}" if at else literal_of(value)), _VALUE
        case nodes.Name(name):
            return name, _VALUE
        case nodes.Arithmetic(first, rest):
            level = _LEVELS[rest[0][0]]
            return _at(first, level + 1) + "".join(f" {op} {_at(each, level + 1)}" for op, each in rest), level
        case nodes.Negation(operand):
            return f"-{_at(operand, _UNARY)}", _UNARY
        case nodes.Logic(operator, operands):
            level = _OR if operator == "or" else _AND
            return f" {operator} ".join(_at(each, level + 1) for each in operands), level
        case nodes.Comparison(operator, left, right):
            return f"{_at(left, _COMPARE)} {operator} {_at(right, _ADD)}", _COMPARE
        case nodes.Between(value, low, high):
            return f"{_at(value, _COMPARE)} between {_at(low, _ADD)} and {_at(high, _ADD)}", _COMPARE
        case nodes.In(value, (test,), True):
            return f"{_at(value, _COMPARE)} in {_at(test, _ADD)}", _COMPARE
        case nodes.In(value, tests):
            return f"{_at(value, _COMPARE)} in ({', '.join(map(write, tests))})", _COMPARE
        case nodes.InstanceOf(value, _, written):
            return f"{_at(value, _COMPARE)} instance of {written}", _COMPARE
        case nodes.Interval(low, high, low_in, high_in):
            return f"{'[' if low_in else '('}{_at(low, _ADD)}..{_at(high, _ADD)}{']' if high_in else ')'}", _VALUE
        case nodes.UnaryRange(operator, value):
            return f"({operator} {_at(value, _ADD)})", _VALUE
        case nodes.ListOf(items):
            return f"[{', '.join(map(write, items))}]", _VALUE
        case nodes.ContextOf(entries):
            return "{" + ", ".join(f"{quoted(key)}: {write(value)}" for key, value in entries) + "}", _VALUE
        case nodes.Path(source, name):
            return f"{_at(source, _VALUE)}.{name}", _VALUE
        case nodes.Filter(source, condition):
            return f"{_at(source, _VALUE)}[{write(condition)}]", _VALUE
        case nodes.Invocation(function, arguments, names):
            given = [f"{n}: {write(a)}" for n, a in zip(names, arguments, strict=True)] if names else []
            return f"{_at(function, _VALUE)}({', '.join(given or map(write, arguments))})", _VALUE
    return _worded(node), 0


def _worded(node: Any) -> str:
    match node:
        case nodes.If(branches, otherwise):
            chain = "".join(f"if {write(test)} then {write(value)} else " for test, value in branches)
            # An `if` alone behind `else` would be read as one more branch.
            return chain + (f"({write(otherwise)})" if isinstance(otherwise, nodes.If) else write(otherwise))
        case nodes.For(iterations, result):
            return f"for {_iterations(iterations)} return {write(result)}"
        case nodes.Quantified(quantifier, iterations, condition):
            return f"{quantifier} {_iterations(iterations)} satisfies {write(condition)}"
        case nodes.FunctionOf(parameters, body):
            names = ", ".join(each.name + (f": {each.written}" if each.written else "") for each in parameters)
            return f"function({names}) {write(body)}"
    raise AssertionError(node)


def _iterations(iterations: tuple[nodes.Iteration, ...]) -> str:
    return ", ".join(
        f"{each.name} in {_at(each.source, _ADD)}" + (f"..{_at(each.until, _ADD)}" if each.until else "")
        for each in iterations
    )
