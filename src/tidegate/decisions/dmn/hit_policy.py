"""What a decision table answers when rows match: its hit policy.

The meaning is that of the DMN standard (1.5, 8.2.10 and 8.2.11); where rows match that may not, the answer is null and
says so.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from tidegate.expressions.feel.expression import Expression, parse
from tidegate.expressions.feel.given import Given
from tidegate.expressions.feel.values import equal

POLICIES = ("UNIQUE", "ANY", "PRIORITY", "FIRST", "RULE ORDER", "OUTPUT ORDER", "COLLECT")
AGGREGATIONS = {"SUM": "sum", "MIN": "min", "MAX": "max", "COUNT": "count"}
ONE = frozenset({"UNIQUE", "ANY", "PRIORITY", "FIRST"})
"""The policies that answer with one row's outputs, not with a list."""

Output = dict[str, Any]
Refuse = Callable[[str], None]


def chosen(policy: str, outputs: Sequence[Output], rows: Sequence[int], ranks: Sequence[int], refuse: Refuse) -> Any:
    """The outputs that a policy answers with: one, or a list.

    Args:
        policy: the hit policy.
        outputs: of the rows that matched, at least one, in the table's order.
        rows: their numbers.
        ranks: their places in `outputs`, highest priority first, where the policy asks for it.
        refuse: told why the policy gives nothing.
    """
    if policy == "UNIQUE" and len(outputs) > 1:
        refuse(f"the hit policy is UNIQUE, and rows {_listed(rows)} matched.")
        return None
    if policy == "ANY" and not all(equal(one, outputs[0]) for one in outputs[1:]):
        refuse(f"the hit policy is ANY, and rows {_listed(rows)} matched, which differ in their outputs.")
        return None
    if policy == "PRIORITY":
        return outputs[ranks[0]]
    if policy == "OUTPUT ORDER":
        return [outputs[place] for place in ranks]
    return outputs[0] if policy in ONE else list(outputs)


def ranked(outputs: Sequence[Output], priorities: Mapping[str, Sequence[Any]]) -> list[int]:
    """The places of outputs, highest priority first.

    Columns count from left to right; in each the value that stands first in its list of output values comes first. A
    column without such a list decides nothing; rows of the same priority stay in their order.
    """

    def key(place: int) -> tuple[int, ...]:
        return tuple(_rank(outputs[place][name], values) for name, values in priorities.items())

    return sorted(range(len(outputs)), key=key)


def _rank(value: Any, values: Sequence[Any]) -> int:
    """The place of a value among the output values; behind them all if it is none of them."""
    return next((place for place, one in enumerate(values) if equal(one, value) is True), len(values))


@cache
def _aggregate(name: str) -> Expression:
    return parse(f"{AGGREGATIONS[name]}(outputs)", {"outputs": None}, {})


def aggregated(aggregation: str, names: Sequence[str], outputs: Sequence[Output], given: Given) -> Output:
    """The outputs of all rows as one, each column by itself, with FEEL's own function."""
    return {
        name: _aggregate(aggregation).evaluate({"outputs": [one[name] for one in outputs]}, given) for name in names
    }


def _listed(rows: Sequence[int]) -> str:
    """Row numbers in words, the first of them."""
    shown = [str(row) for row in rows[:10]]
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(rows) <= 10 else ", ".join(shown) + ", …"
