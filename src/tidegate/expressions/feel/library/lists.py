"""Functions of lists (DMN 1.5, 10.3.4.4). Places count from 1, or from -1 at the end."""

from decimal import Decimal
from typing import Any

from tidegate.expressions.feel import numbers
from tidegate.expressions.feel.functions import Function
from tidegate.expressions.feel.given import Run
from tidegate.expressions.feel.invocation import invoke
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.library.strings import part
from tidegate.expressions.feel.values import equal


def _same(run: Run, one: Any, other: Any) -> bool:
    return equal(one, other, run.spend) is True


@builtin("list contains(list: list, element: any)")
def list_contains(run: Run, values: list[Any], element: Any) -> Any:
    """Whether one of the elements equals this."""
    run.spend(len(values))
    return any(_same(run, each, element) for each in values)


@builtin("count(list: list)")
def count(run: Run, values: list[Any]) -> Any:
    """How many elements."""
    return Decimal(len(values))


@builtin("sublist(list: list, start position: number, length?: number)")
def sublist(run: Run, values: list[Any], start: Decimal, length: Decimal | None) -> Any:
    """The elements from a place on; a length that goes past the end is none."""
    run.budget.sized(len(values))
    found = part(run, values, start, length)
    if found is not None and length is not None and length > len(found):
        return run.why("{} is longer than what is left from place {} on", length, start)
    return found


@builtin("append(list: list, ...item: any)")
def append(run: Run, values: list[Any], items: list[Any]) -> Any:
    """The list with more elements at its end."""
    run.budget.sized(len(values) + len(items))
    return values + items


@builtin("concatenate(...list: any)")
def concatenate(run: Run, lists: list[Any]) -> Any:
    """The elements of all lists, one list after the other."""
    found: list[Any] = []
    for each in lists:
        if each is None:
            return run.why("one of the lists is null")
        more = each if isinstance(each, list) else [each]
        run.budget.sized(len(found) + len(more))
        found += more
    return found


def _place(run: Run, values: list[Any], position: Decimal) -> int | None:
    """The index of a place, or None, with a reason, where there is no such place."""
    at = numbers.whole(position)
    if at is None or at == 0 or abs(at) > len(values):
        run.why("{} is no place in {}", position, values)
        return None
    return at - 1 if at > 0 else len(values) + at


@builtin("insert before(list: list, position: number, newItem: any)")
def insert_before(run: Run, values: list[Any], position: Decimal, item: Any) -> Any:
    """The list with one more element before that place."""
    run.budget.sized(len(values) + 1)
    at = _place(run, values, position)
    return None if at is None else [*values[:at], item, *values[at:]]


@builtin("remove(list: list, position: number)")
def remove(run: Run, values: list[Any], position: Decimal) -> Any:
    """The list without the element at that place."""
    run.budget.sized(len(values))
    at = _place(run, values, position)
    return None if at is None else values[:at] + values[at + 1 :]


@builtin("list replace(list: list, position: number, newItem: any)")
def list_replace(run: Run, values: list[Any], position: Decimal, item: Any) -> Any:
    """The list with another element at that place."""
    run.budget.sized(len(values))
    at = _place(run, values, position)
    return None if at is None else [*values[:at], item, *values[at + 1 :]]


@builtin("list replace(list: list, match: function, newItem: any)")
def list_replace_where(run: Run, values: list[Any], match: Function, item: Any) -> Any:
    """The list with another element in the place of each for which `match(element, newItem)` is true."""
    run.budget.sized(len(values))
    if len(match.parameters) != 2:
        return run.why("the function takes two parameters, the element and the new one")
    found = []
    for each in values:
        holds = invoke(match, [each, item], (), run, run.place)
        if not isinstance(holds, bool):
            return run.why("the function gives a boolean, and this is {}", holds)
        found.append(item if holds else each)
    return found


@builtin("reverse(list: list)")
def reverse(run: Run, values: list[Any]) -> Any:
    """The last element first."""
    run.budget.sized(len(values))
    return values[::-1]


@builtin("index of(list: list, match: any)")
def index_of(run: Run, values: list[Any], match: Any) -> Any:
    """The places of all elements that equal this."""
    run.spend(len(values))
    return [Decimal(at) for at, each in enumerate(values, 1) if _same(run, each, match)]


def _distinct(run: Run, values: list[Any]) -> list[Any]:
    found: list[Any] = []
    plain: set[tuple[type, Any]] = set()
    others: list[Any] = []
    for each in values:
        if each is None or isinstance(each, (str, Decimal, bool)):
            if (type(each), each) not in plain:
                plain.add((type(each), each))
                found.append(each)
        else:
            run.spend(len(others))
            if not any(_same(run, each, other) for other in others):
                others.append(each)
                found.append(each)
    return found


@builtin("union(...list: any)")
def union(run: Run, lists: list[Any]) -> Any:
    """The elements of all lists, each once."""
    found = concatenate(run, lists)
    return None if found is None else _distinct(run, found)


@builtin("distinct values(list: list)")
def distinct_values(run: Run, values: list[Any]) -> Any:
    """Each element once, where it stood first."""
    run.spend(len(values))
    return _distinct(run, values)


@builtin("flatten(list: list)")
def flatten(run: Run, values: list[Any]) -> Any:
    """The elements of lists within lists, all in one."""
    found: list[Any] = []
    waiting = [iter(values)]
    while waiting:
        for each in waiting[-1]:
            run.spend(1)
            if isinstance(each, type(found)):
                waiting.append(iter(each))
                break
            found.append(each)
            if len(found) > run.budget.size:
                run.budget.sized(len(found))
        else:
            waiting.pop()
    return found


@builtin("all(list: list)", "all(...list: any)")
def all_of(run: Run, values: list[Any]) -> Any:
    """True if all elements are, false if one is; null otherwise, and where one is no boolean."""
    return _decided(run, values, False)


@builtin("any(list: list)", "any(...list: any)")
def any_of(run: Run, values: list[Any]) -> Any:
    """True if one element is, false if none is; null otherwise, and where one is no boolean."""
    return _decided(run, values, True)


def _decided(run: Run, values: list[Any], decides: bool) -> Any:
    run.spend(len(values))
    for each in values:
        if each is not None and not isinstance(each, bool):
            return run.why("the list holds {}, which is no boolean", each)
    if decides in values:
        return decides
    return run.why("the list holds null, which may be either") if None in values else not decides
