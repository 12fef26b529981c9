"""The same models in Drools and in ours, on random models, expressions and inputs: they agree, but for what is listed.

FEEL's differences are in `differences`. Of whole models there are these; nothing random here comes near them:

- `C#` counts outputs, as DMN has it since 1.3; Drools counts different ones, as DMN 1.1 did. No two rows here have the
  same output.
- What requires a decision that is null sees null, as DMN says. Drools does not evaluate it where that decision failed,
  so it is null: such answers are not compared.
- An entry of a boxed context that is not of its type is null (10.3.2.9.4); in Drools the whole context is.
- A component that is declared a list takes one value alone for a list of it (10.3.2.9.4); Drools leaves it as it is.
- A cell `not(…)` that compares by order with null, or a value of another kind, does not match: null < 5 is null, and so
  is its negation (tables 50 and 53). In Drools it matches. `UNKNOWN` are such cells.
- A date for a date and time is its midnight in UTC wherever one is asked for (10.3.2.9.4); in Drools not everywhere.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as cases
from hypothesis import strategies as st

from tests.conftest import CASES, shared_data
from tidegate.cli.dmn_files import load
from tidegate.decisions.dmn import DmnModel
from tidegate.expressions.feel.expression import parse

from .differences import DIFFERENCES
from .drools import Drools, plain_of_feel
from .expressions import EXPRESSIONS
from .inputs import inputs_of
from .test_tables import policies, tests
from .written import decision, dmn, function, given, literal, service, sound, table

MODELS = sorted((shared_data() / "vectors" / "dmn").rglob("*.dmn"))
few = settings(
    max_examples=max(10, CASES // 50),
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
"""Ten models in `make test`. What fails is told by its own text, and not made smaller: Drools takes its time."""

KNOWN = {
    ("0003-iteration", "MonthlyPayment"): "turns that fail",
    ("0013-sort", "sort1"): "sort says what it cannot",
    ("0013-sort", "sort2"): "sort says what it cannot",
    ("0013-sort", "sort3"): "sort says what it cannot",
    ("0016-some-every", "everyGtTen1"): "every does not know",
    ("0016-some-every", "everyGtTen2"): "every does not know",
    ("0016-some-every", "someGtTen1"): "some does not know",
    ("0016-some-every", "someGtTen2"): "some does not know",
    ("0033-for-loops", "check factors"): "turns that fail",
}
"""Decisions of the kit that ask for one of `DIFFERENCES` with some inputs, by folder and name."""
OTHER = {
    ("0007-date-time", "Date"): "a boxed context with an entry of another type",
    ("0096-feel-day-of-week-function", "date_001"): "a boxed context with an entry of another type",
    ("0035-test-structure-output", "cmyk Value"): "a boxed context with an entry of another type",
    ("0068-feel-equality", "range_010"): "the kit's own case, which Drools does not pass",
    ("0068-feel-equality", "range_012"): "the kit's own case, which Drools does not pass",
    ("0089-nested-inputdata-imports", "*"): "Drools has inputs of imported models under other names",
    ("1148-feel-now-function", "decision001"): "it asks for the time, which is not given here",
    ("1149-feel-today-function", "decision001"): "it asks for the time, which is not given here",
    ("0012-list-functions", "sublist12"): "a list of one null, which Drools takes for a singleton",
}
"""Others that are not compared, and why."""
NUMBERS = st.integers(-3, 12)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Java's start is nobody's time."""
    Drools(dmn(decision("D", literal("1"))))


def agree(texts: list[str]) -> None:
    """Hold the values of FEEL texts to Drools', each the decision of one model."""
    data = dmn(*(decision(f"D{at}", literal(text)) for at, text in enumerate(texts)))
    ours, theirs = sound(data), Drools(data).evaluate_all({})
    for at, text in enumerate(texts):
        found = ours.evaluate(f"D{at}", {})
        if theirs[f"D{at}"] is None and found.reasons:
            continue  # a part of it failed, and Drools gives up on all of it: "calls that fail"
        assert plain_of_feel(found.value) == theirs[f"D{at}"], (text, [str(one) for one in found.reasons])


@few
@cases(st.lists(EXPRESSIONS, min_size=20, max_size=40, unique=True))
def test_expressions_agree(texts: list[str]) -> None:
    agree(texts)


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_as_it_is_told(name: str) -> None:
    one = DIFFERENCES[name]
    data = dmn(decision("D", literal(one.text)))
    ours, theirs = sound(data).evaluate("D", {}).value, Drools(data).evaluate("D", {})
    told = [plain_of_feel(parse(text).evaluate({})) for text in (one.ours, one.drools)]
    assert [plain_of_feel(ours), theirs] == told and told[0] != told[1]


def test_built_ins_and_operators_agree_at_their_edges() -> None:
    """Null, another type, another number of arguments, names, nested lists, signs, zones, the ends of domains."""
    texts = (Path(__file__).parent / "edges.feel").read_text("utf-8").splitlines()
    data = dmn(*(decision(f"D{number}", literal(text)) for number, text in enumerate(texts)))
    ours, theirs = sound(data), Drools(data).evaluate_all({})
    told = {text: plain_of_feel(ours.evaluate(f"D{number}", {}).value) for number, text in enumerate(texts)}
    differ = {text: (told[text], theirs[f"D{n}"]) for n, text in enumerate(texts) if told[text] != theirs[f"D{n}"]}
    assert not differ
    assert sum(one is None for one in told.values()) < len(texts) / 2


@few
@cases(policies, st.lists(st.tuples(tests, tests), min_size=1, max_size=6), st.tuples(NUMBERS, NUMBERS), st.booleans())
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
    assert plain_of_feel(sound(data).evaluate("D", inputs).value) == Drools(data).evaluate("D", inputs)


CELLS = [
    "-", "1", "not(1)", "1, 2", "< 3", ">= 2", "[1..3)", "(0..2]", "null", "not(null)", "true", "false", '"a"',
    'not("a", "b")', '"a", "c"', "? > 1", "x > 1", "1 + 1", 'contains(?, "a")', "list contains([1, 2], ?)", "!= 1",
    '@"2020-02-29"', '< @"2020-02-29"', '[@"P1D"..@"P9D"]',
]  # fmt: skip
UNKNOWN = ["not(< 3)", "not([1..3))", "not(>= 2, 7)", "not([0..1], > 5)"]
SEEN = [
    "null",
    "1",
    "2",
    "0",
    "-1",
    "2.5",
    '"a"',
    '"b"',
    '"ab"',
    "true",
    "false",
    '@"2020-02-29"',
    '@"2000-01-01"',
    '@"P1D"',
    '@"P10D"',
    "{a: 1}",
]
_ORDERED = {"": {"-1", "0", "1", "2", "2.5"}, "[0..2]": {"0", "1", "2"}, "1, null": {"1"}}
"""The values that the cells of `UNKNOWN` compare, in each domain; what is outside of it is null."""
DOMAINS = ("", "", "", "[0..2]", '"a", "b"', "1, null")


@few
@cases(
    st.lists(
        st.tuples(st.sampled_from(CELLS + UNKNOWN), st.sampled_from(SEEN), st.sampled_from(DOMAINS)),
        min_size=12,
        max_size=24,
    )
)
def test_cells_agree(asks: list[tuple[str, str, str]]) -> None:
    """Any cell on any value, of its own kind or not, in the domain of its column or not."""
    asks = [one for one in asks if one[2] != "[0..2]" or one[1][0] in "-0123456789n"]
    made = [
        table([seen], [""], [[cell, '"yes"']], values={seen: allowed} if allowed else {})
        for cell, seen, allowed in asks
    ]
    data = dmn(given("x"), *(decision(f"D{at}", one, needs=("x",)) for at, one in enumerate(made)))
    ours, theirs = sound(data), Drools(data).evaluate_all({"x": 2})
    for at, one in enumerate(asks):
        found, right = plain_of_feel(ours.evaluate(f"D{at}", {"x": 2}).value), theirs[f"D{at}"]
        if one[0] in UNKNOWN and one[1] not in _ORDERED.get(one[2], ()) and right is not None:
            assert found is None, one
        else:
            assert found == right, one


LEAVES = st.one_of(NUMBERS.map(str), st.sampled_from(["x", "y", "0.5", "Inner"]))
ARITHMETIC = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"(if {t[0]} > {t[1]} then {t[2]} else {t[0]})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda many: f"sum([{', '.join(many)}])"),
        inner.map(lambda one: f"f({one})"),
        inner.map(lambda one: f"S({one})"),
        LEAVES.map(lambda one: f"count([1, 2, 3, 4][item > {one}])"),
        inner.map(lambda one: f"sum(for i in [1, 2] return i * {one})"),
    ),
    max_leaves=8,
)


@few
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
    assert plain_of_feel(sound(data).evaluate("D", inputs).value) == Drools(data).evaluate("D", inputs)


@cache
def both(path: Path) -> tuple[DmnModel, Drools, bytes]:
    """A model of the kit in ours and in Drools."""
    data = path.read_bytes()
    others = [one.read_bytes() for one in path.parent.glob("*.dmn") if one != path]
    return load(path), Drools(data, others if b"import " in data else ()), data


if MODELS:

    @few
    @cases(st.data())
    def test_the_kits_models_agree_on_random_inputs(data: Any) -> None:
        path = data.draw(st.sampled_from(MODELS))
        ours, drools, text = both(path)
        inputs = data.draw(inputs_of(ours, text))
        theirs = drools.evaluate_all(inputs)
        for name in ours.decisions:
            places = {(path.parent.name, name), (path.parent.name, "*")}
            if places & (KNOWN.keys() | OTHER.keys()) or _on_nothing(text, name, theirs):
                continue
            found = ours.evaluate(name, inputs)
            assert plain_of_feel(found.value) == theirs[name], (path.name, name, [str(one) for one in found.reasons])


def _on_nothing(text: bytes, name: str, values: dict[str, Any]) -> bool:
    """Whether a decision requires one that is null, directly or through others."""
    names = dict(re.findall(rb'<[\w:]*decision\b(?=[^>]*\bid="([^"]+)")(?=[^>]*\bname="([^"]+)")', text))
    body = re.search(
        rb'<[\w:]*decision\b[^>]*\bname="' + re.escape(name.encode()) + rb'".*?</[\w:]*decision>', text, re.S
    )
    required = re.findall(rb'requiredDecision\s+href="[^"#]*#([^"]+)"', body[0]) if body else []
    return any((found := names.get(one, b"").decode()) and values.get(found) is None for one in required)
