"""`sort` (DMN 1.5, 10.3.4.7)."""

from typing import Any

from tidegate.expressions.feel.functions import Function
from tidegate.expressions.feel.given import Run
from tidegate.expressions.feel.invocation import invoke
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.values import order


@builtin("sort(list: list, precedes?: function)")
def sort(run: Run, values: list[Any], precedes: Function | None) -> Any:
    """The elements in order: `precedes(a, b)` says whether a comes before b; without it they have their own order.

    Merge sort, so that elements of which neither comes first stay as they were.
    """
    run.budget.sized(len(values))
    if precedes is not None and len(precedes.parameters) != 2:
        return run.why("the function that says what comes first takes two parameters")

    def first(a: Any, b: Any) -> bool | None:
        run.spend(1)
        if precedes is None:
            found = order(a, b)
            return run.why("{} and {} have no order", a, b) if found is None else found < 0
        holds = invoke(precedes, [a, b], (), run, run.place)
        return holds if isinstance(holds, bool) else run.why("what comes first is a boolean, and this is {}", holds)

    parts = [[each] for each in values]
    while len(parts) > 1:
        merged = [_merged(parts[at], parts[at + 1], first) for at in range(0, len(parts) - 1, 2)]
        if any(each is None for each in merged):
            return None
        parts = merged + parts[len(parts) - len(parts) % 2 :]
    return parts[0] if parts else []


def _merged(left: list[Any], right: list[Any], first: Any) -> Any:
    found: list[Any] = []
    i = j = 0
    while i < len(left) and j < len(right):
        holds = first(right[j], left[i])
        if holds is None:
            return None
        if holds:
            found.append(right[j])
            j += 1
        else:
            found.append(left[i])
            i += 1
    return found + left[i:] + right[j:]
