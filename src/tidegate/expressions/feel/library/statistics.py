"""Functions of many numbers: sums, means, and the like (DMN 1.5, 10.3.4.4); each takes a list or the numbers."""

from collections import Counter
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from typing import Any

from tidegate.expressions.feel.given import Run, Word
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.numbers import CONTEXT, SQUARES, SUMS, Failure
from tidegate.expressions.feel.values import order


def _numbers(run: Run, values: list[Any]) -> list[Decimal] | None:
    """The values, if all are numbers; otherwise None, with a reason."""
    run.spend(len(values))
    for at, each in enumerate(values, 1):
        if not isinstance(each, Decimal):
            run.why("element {} is {}, which is no number", Word(at), each)
            return None
    return values


def _calculated(run: Run, values: list[Any], of: Callable[[list[Decimal]], Decimal], context: Context = CONTEXT) -> Any:
    """A number of all numbers; null, with a reason, where there are none or one is something else.

    `context` is that of the steps; the result is a number like all others.
    """
    found = _numbers(run, values)
    if found is None:
        return None
    if not found:
        return run.why("there are no numbers")
    try:
        with localcontext(context):
            made = of(found)
        return CONTEXT.plus(made)
    except Failure:
        return run.why("the result is larger than numbers are")


def _extreme(run: Run, values: list[Any], side: int) -> Any:
    run.spend(len(values))
    if not values:
        return run.why("there is nothing to choose from")
    best = values[0]
    for each in values:
        found = order(each, best)
        if found is None:
            return run.why("{} and {} have no order", best, each)
        if found == side:
            best = each
    return best


@builtin("min(list: list)", "min(...c: any)")
def minimum(run: Run, values: list[Any]) -> Any:
    """The least of values that have an order."""
    return _extreme(run, values, -1)


@builtin("max(list: list)", "max(...c: any)")
def maximum(run: Run, values: list[Any]) -> Any:
    """The greatest of values that have an order."""
    return _extreme(run, values, 1)


@builtin("sum(list: list)", "sum(...n: any)")
def total(run: Run, values: list[Any]) -> Any:
    """The sum of numbers."""
    return _calculated(run, values, sum_of)


def sum_of(values: list[Decimal]) -> Decimal:
    """The sum, from left to right, each step rounded to 34 digits."""
    return sum(values[1:], start=+values[0])


@builtin("mean(list: list)", "mean(...n: any)")
def mean(run: Run, values: list[Any]) -> Any:
    """The sum divided by how many there are."""
    return _calculated(run, values, lambda values: sum_of(values) / len(values), SUMS)


@builtin("product(list: list)", "product(...n: any)")
def product(run: Run, values: list[Any]) -> Any:
    """All numbers multiplied."""

    def multiplied(values: list[Decimal]) -> Decimal:
        found = +values[0]
        for each in values[1:]:
            found *= each
        return found

    return _calculated(run, values, multiplied)


@builtin("median(list: list)", "median(...n: any)")
def median(run: Run, values: list[Any]) -> Any:
    """The middle one of the numbers in order, or the mean of the two in the middle."""

    def middle(values: list[Decimal]) -> Decimal:
        ordered = sorted(values)
        half = len(ordered) // 2
        return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2

    return _calculated(run, values, middle, SUMS)


@builtin("stddev(list: list)", "stddev(...n: any)")
def stddev(run: Run, values: list[Any]) -> Any:
    """The standard deviation of a sample: of two numbers or more."""
    if len(values) == 1:
        return run.why("one number has no standard deviation")

    def deviation(values: list[Decimal]) -> Decimal:
        average = sum_of(values) / len(values)
        return (sum_of([(each - average) ** 2 for each in values]) / (len(values) - 1)).sqrt()

    return _calculated(run, values, deviation, SQUARES)


@builtin("mode(list: list)", "mode(...n: any)")
def mode(run: Run, values: list[Any]) -> Any:
    """The numbers that there are most of, in order; an empty list of none."""
    found = _numbers(run, values)
    if found is None:
        return None
    counts = Counter(found)
    most = max(counts.values(), default=0)
    return sorted(each for each, times in counts.items() if times == most)
