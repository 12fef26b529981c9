"""Random decision tables over given expressions."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.conformance.literals import LITERALS, TEXTS
from tests.conformance.scorecards import text_of
from tidegate.decisions.tables.node import DecisionTable, tied
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.sheet import sheet_of
from tidegate.events.money import Money
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr

Draw = Callable[[Any], Any]
_RISKS = ("high", "low", "none")
_RATES = st.sampled_from([0.5, 1.0, -2.0, 7.25])
_OUTCOMES = st.sampled_from([None, None, "approve", "review", "decline"])
_KEYS = {"card": ('"a"', '"b"', '"ç"'), "shop": ("0", "1", "-7", str(2**62))}


def made_table(draw: Draw, name: str, leaves: Sequence[Expr]) -> DecisionTable:
    """A table of any hit policy over one to three of the leaves; its rows may carry outcomes."""
    policy = draw(st.sampled_from(Policy))
    of = [draw(st.sampled_from(leaves)) for _ in range(draw(st.integers(1, 3)))]
    heads = [f"if x{n}" for n in range(len(of))] + ["then rate (number)"]
    decides = not policy.is_sum and draw(st.booleans())
    if not policy.is_sum:
        heads.append(f"then risk (text: {', '.join(_RISKS)})")
    heads += ["outcome", "because"] if decides else []
    lines: list[list[Any]] = [[policy.words, *heads]]
    # from one to several words of rows, so that bits are read across the ends of words
    for number in range(draw(st.sampled_from([1, 2, 3, 3, 5, 70]))):
        lines.append(["", *(_cell(draw, one) for one in of), *_outputs(draw, policy, decides, number)])
    if policy is not Policy.COUNT and draw(st.booleans()):
        lines.append(["default", *[""] * len(of), *_outputs(draw, policy, decides, len(lines))])
    sheet = sheet_of(name, list(enumerate(lines, 1)), lambda line, head: f"line {line} ({head.name})")
    return tied(sheet, {f"x{n}": one for n, one in enumerate(of)}, "EUR")


def fit(leaf: Expr) -> bool:
    """Whether a leaf may be a table's input here."""
    return leaf.type.kind is not Kind.TEXT or not leaf.type.choices or len(leaf.type.choices) > 1


def _outputs(draw: Draw, policy: Policy, decides: bool, number: int) -> list[Any]:
    if policy.is_sum:
        return [draw(_RATES)]
    found = [draw(st.one_of(st.none(), _RATES)), draw(st.sampled_from((*_RISKS, None)))]
    if not decides:
        return found
    outcome = draw(_OUTCOMES)
    return [*found, outcome, f"Row {number}" if outcome else None]


def _cell(draw: Draw, one: Expr) -> str:
    how = draw(st.integers(0, 9))
    if how < 3:
        return "-"
    if how == 3:
        return "missing"
    tests = ", ".join(_test(draw, one) for _ in range(draw(st.sampled_from([1, 1, 2, 3]))))
    missing = ", missing" if how == 4 else ""
    return (f"not({tests})" if how == 5 or (missing and draw(st.booleans())) else tests) + missing


def _test(draw: Draw, one: Expr) -> str:
    kind = one.type.kind
    if kind is Kind.BOOL:
        return str(draw(st.sampled_from(["true", "false"])))
    if kind is Kind.KEY:
        return str(draw(st.sampled_from(_KEYS[one.type.entity])))
    if kind is Kind.TEXT:
        return f'"{draw(st.sampled_from(one.type.choices or TEXTS))}"'
    form = draw(st.sampled_from(["{}", "{}", "< {}", "<= {}", "> {}", ">= {}", "[{}..{})", "({}..{}]", "[{}..{}]"]))
    ends = draw(st.sets(LITERALS[kind], min_size=2, max_size=2))
    low, high = sorted(ends, key=lambda edge: edge.units if isinstance(edge, Money) else edge)
    return str(form).format(text_of(low), text_of(high))
