"""Predicates, as items in postfix; see `operations`."""

from collections.abc import Sequence

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, required, words
from tidegate.models.pmml.scope import DEEPEST, Field, Scope
from tidegate.models.pmml.texts import is_text

__all__ = ["PREDICATES", "Items", "holds", "predicate", "predicate_of", "programs"]

PREDICATES = ("SimplePredicate", "SimpleSetPredicate", "CompoundPredicate", "True", "False")

Item = tuple[int, int, int, int]
"""Kind, register, place of the number or of the sorted numbers, how many."""
Items = list[Item]

ALWAYS: Item = (o.P_TRUE, 0, 0, 0)
_COMPARED = {
    "equal": o.P_EQUAL, "notEqual": o.P_NOT_EQUAL, "lessThan": o.P_LESS, "lessOrEqual": o.P_LESS_EQUAL,
    "greaterThan": o.P_GREATER, "greaterOrEqual": o.P_GREATER_EQUAL,
}  # fmt: skip
_JOINED = {"and": o.P_AND, "or": o.P_OR, "xor": o.P_XOR, "surrogate": o.P_SURROGATE}


def predicate_of(owner: Element, scope: Scope, *, default: bool = False) -> Items:
    """The predicate among an element's children; with `default`, one that always holds if there is none."""
    for part in children(owner, *PREDICATES):
        return predicate(part, scope)
    if default:
        return [ALWAYS]
    raise refuse(owner, f"{name_of(owner)} lacks a predicate.", "Write <True/> if it always applies.")


def predicate(element: Element, scope: Scope) -> Items:
    """A predicate in postfix: parts before what joins them."""
    items: Items = []
    todo: list[tuple[Element, int, Item | None]] = [(element, 0, None)]
    while todo:
        part, depth, joining = todo.pop()
        if joining is not None:
            items.append(joining)
            continue
        if name_of(part) != "CompoundPredicate":
            items.append(_simple(part, scope))
            continue
        if depth > DEEPEST:
            raise refuse(part, f"Predicates are nested more than {DEEPEST} deep.")
        parts = list(children(part, *PREDICATES))
        kind = _JOINED[choice(part, "booleanOperator", tuple(_JOINED))]
        if not parts or (len(parts) < 2 and kind == o.P_XOR):
            raise refuse(part, "A compound predicate joins two or more predicates.", seen=f"{len(parts)} of them")
        todo.append((part, depth, (kind, 0, 0, len(parts))))
        todo += [(inner, depth + 1, None) for inner in reversed(parts)]
    return items


def _simple(element: Element, scope: Scope) -> Item:
    name = name_of(element)
    if name in ("True", "False"):
        return (o.P_TRUE if name == "True" else o.P_FALSE, 0, 0, 0)
    field = scope.find(required(element, "field"), element)
    if name == "SimpleSetPredicate":
        kind = choice(element, "booleanOperator", ("isIn", "isNotIn"))
        array = child(element, "Array")
        if array is None:
            raise refuse(element, "A SimpleSetPredicate has an Array.")
        values = _set(array, field, scope)
        place = scope.builder.table(values)
        return (o.P_IN if kind == "isIn" else o.P_NOT_IN, field.register, place, len(values))
    operator = choice(element, "operator", (*_COMPARED, "isMissing", "isNotMissing"))
    if operator in ("isMissing", "isNotMissing"):
        return (o.P_MISSING if operator == "isMissing" else o.P_NOT_MISSING, field.register, 0, 0)
    value = scope.document.texts.constant(required(element, "value"), field.kind, element)
    if operator not in ("equal", "notEqual") and (is_text(field.kind) or field.optype == "ordinal"):
        return _ordinal(element, operator, field, value, scope)
    return (_COMPARED[operator], field.register, scope.builder.number(value), 1)


def _set(array: Element, field: Field, scope: Scope) -> list[float]:
    values = set[float]()
    for text in words(array):
        values.add(scope.document.texts.constant(text, field.kind, array))
    return sorted(values)


def _ordinal(element: Element, operator: str, field: Field, value: float, scope: Scope) -> Item:
    """An order among values that are listed: it holds for those on one side of the value."""
    if not field.values and not is_text(field.kind):
        return (_COMPARED[operator], field.register, scope.builder.number(value), 1)
    if value not in field.values:
        raise refuse(
            element, f"{field.name} has no order in which {required(element, 'value')!r} has a place.",
            "Declare the field ordinal, with its values in order.", seen=f'operator="{operator}"',
        )  # fmt: skip
    at = field.values.index(value)
    sides = {"lessThan": field.values[:at], "lessOrEqual": field.values[: at + 1],
             "greaterThan": field.values[at + 1 :], "greaterOrEqual": field.values[at:]}  # fmt: skip
    held = sorted(sides[operator])
    return (o.P_IN, field.register, scope.builder.table(held), len(held))


def programs(owners: Sequence[Items], base: int) -> tuple[list[Item], list[int], int]:
    """One item per predicate, the programs of those that need more, and the depth of stack that these need.

    Args:
        base: where the programs will begin, in words from the start of their operation.
    """
    firsts, words_, deepest = list[Item](), list[int](), 1
    for items in owners:
        if len(items) == 1:
            firsts.append(items[0])
            continue
        firsts.append((o.P_PROGRAM, 0, base + len(words_), 0))
        words_ += [len(items), *[word for item in items for word in item]]
        depth = 0
        for kind, _, _, count in items:
            depth += 1 - (count if kind >= o.P_AND else 0)
            deepest = max(deepest, depth + 1)
    return firsts, words_, deepest


def holds(items: Items, scope: Scope, code: Code) -> int:
    """A register with 1 where the predicate is true, 0 where it is false, and missing where it is unknown."""
    (item,), program, depth = programs([items], 8)
    to = scope.builder.register()
    scope.builder.emit(code, o.PREDICATE, to, depth, *item, *program)
    return to
