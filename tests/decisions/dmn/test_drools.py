"""The same models in Drools and in ours, on random tables, expressions and inputs: they agree, but for what is listed.

Asked for by `TIDEGATE_DROOLS=1`; it needs Java and Maven. Where the two differ on purpose:

- `C#` counts outputs, as DMN has it since 1.3; Drools counts different ones, as DMN 1.1 did. No two rows here have the
  same output.
- What requires a decision or input that is missing, or of a wrong type, sees null, as DMN says. Drools does not
  evaluate it, so it is null. Nothing here makes a value of such a null.
- `[1, 2][item > abs(0)]` is empty in Drools 10.1, which loses `item` where a function is called in a filter. No filter
  here calls one.
"""

from decimal import Decimal
from typing import Any

from hypothesis import given as cases
from hypothesis import settings
from hypothesis import strategies as st

from .drools import THERE, Drools
from .test_tables import policies, tests
from .written import decision, dmn, function, given, literal, service, sound, table

NUMBERS = st.integers(-3, 12)
LEAVES = st.one_of(NUMBERS.map(str), st.sampled_from(["x", "y", "0.5", "Inner"]))
ARITHMETIC = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"(if {t[0]} > {t[1]} then {t[2]} else {t[0]})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda many: f"sum([{', '.join(many)}])"),
        st.lists(inner, min_size=1, max_size=3).map(lambda many: f"max([{', '.join(many)}])"),
        inner.map(lambda one: f"f({one})"),
        inner.map(lambda one: f"S({one})"),
        inner.map(lambda one: f"abs({one})"),
        LEAVES.map(lambda one: f"count([1, 2, 3, 4][item > {one}])"),
        inner.map(lambda one: f"sum(for i in [1, 2] return i * {one})"),
        inner.map(lambda one: f"(if some i in [1, 5] satisfies i > {one} then 1 else 2)"),
    ),
    max_leaves=8,
)


def plain(value: Any) -> Any:
    """A value with numbers that are equal written alike."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.normalize() + 0 if isinstance(value, Decimal) else value


if THERE:

    @settings(max_examples=100)
    @cases(
        policies, st.lists(st.tuples(tests, tests), min_size=1, max_size=6), st.tuples(NUMBERS, NUMBERS), st.booleans()
    )
    def test_tables_agree(
        policy: tuple[str, str], rows: list[tuple[str, str]], ask: tuple[int, int], default: bool
    ) -> None:
        text = table(
            ["x", "y"],
            [""],
            [[*row, str(out)] for out, row in enumerate(rows)],
            policy=policy[0],
            aggregation=policy[1],
            values={"": "3, 5, 1, 0, 4, 2, 9"} if policy[0] in ("PRIORITY", "OUTPUT ORDER") else {},
            defaults={"": "9"} if default else {},
        )
        data = dmn(given("x", "number"), given("y", "number"), decision("D", text, needs=("x", "y")))
        inputs = {"x": ask[0], "y": ask[1]}
        assert plain(sound(data).evaluate("D", inputs).plain) == plain(Drools(data).evaluate("D", inputs))

    @settings(max_examples=100)
    @cases(ARITHMETIC, ARITHMETIC, ARITHMETIC, st.tuples(NUMBERS, NUMBERS))
    def test_decisions_functions_and_services_agree(inner: str, body: str, outer: str, ask: tuple[int, int]) -> None:
        def within(text: str, *names: str) -> str:
            """The text with what is not visible in its place left out."""
            for name in ("x", "y", "Inner"):
                text = text if name in names else text.replace(name, "2")
            return text if "f" in names else text.replace("f(", "abs(").replace("S(", "abs(")

        data = dmn(
            given("x", "number"),
            given("y", "number"),
            function("f", "x: number", literal(within(body, "x")), kind="number"),
            decision("Served", literal(within(inner, "x")), kind="number", needs=("x",)),
            service("S", ["Served"], given=["x"]),
            decision("Inner", literal(within(inner, "x", "y")), kind="number", needs=("x", "y")),
            decision("D", literal(within(outer, "x", "y", "Inner", "f")), needs=("x", "y", "!Inner"), knows=("f", "S")),
        )
        inputs = {"x": ask[0], "y": ask[1]}
        assert plain(sound(data).evaluate("D", inputs).plain) == plain(Drools(data).evaluate("D", inputs))
