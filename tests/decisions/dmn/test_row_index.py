"""Large tables by index: the same rows match as when they are read from the top, and so the same is answered."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from hypothesis import given as cases
from hypothesis import strategies as st

from tidegate.decisions.dmn import DmnModel, DmnResult
from tidegate.decisions.dmn import table as tables
from tidegate.decisions.dmn.values import to_feel
from tidegate.expressions.feel import plain as plains
from tidegate.expressions.feel.expression import parse_tests
from tidegate.expressions.feel.types import ANY, named

from .test_tables import policies
from .written import decision, dmn, given, sound, table

SORTS: dict[str, list[str]] = {
    "number": ["-2", "0", "1", "1.0", "1.5", "2", "0.1", "12345678901234567890.1"],
    "string": ['""', '"a"', '"b"', '"ab"', '"é"', '"🐎"'],
    "boolean": ["true", "false"],
    "date": ['@"2026-11-28"', 'date("2026-11-29")', 'date("2024-02-29")'],
    "days and time duration": ['@"P1D"', 'duration("PT24H")', '@"-PT1S"'],
    "years and months duration": ['@"P1Y"', '@"P13M"'],
}
GIVEN: dict[str, list[Any]] = {
    "number": [-3, -2, 0, 1, 1.5, 1.75, 2, 9, 0.1, "12345678901234567890.1"],
    "string": ["", "a", "aa", "b", "é", "🐎", "z"],
    "boolean": [True, False],
    "date": ["2024-02-29", "2026-11-28", "2030-01-01"],
    "days and time duration": ["P1D", "PT23H", "-PT1S", "P9D"],
    "years and months duration": ["P1Y", "P12M", "P13M", "P2Y"],
}


def cells(sort: str) -> st.SearchStrategy[str]:
    """Cells of a column: plain ones mostly, and some that must be evaluated or are of another type."""
    one = st.sampled_from(SORTS[sort])
    plain: list[st.SearchStrategy[str]] = [one]
    if sort != "boolean":
        plain.append(st.tuples(st.sampled_from(["<", "<=", ">", ">=", "!=", "="]), one).map(" ".join))
        plain.append(
            st.tuples(st.sampled_from("[(]"), one, one, st.sampled_from("])[")).map(
                lambda t: f"{t[0]}{t[1]}..{t[2]}{t[3]}"
            )
        )
    several = st.lists(st.one_of(plain), min_size=1, max_size=3).map(", ".join)
    odd = st.sampled_from(
        ["-", "", "null", "not(null)", "y", "? = y", "[1, 2]", '"a", 1', "[1..null]", "< null", "true"]
    )
    return st.one_of(several, several, several.map(lambda text: f"not({text})"), odd)


@st.composite
def asked(draw: Any) -> tuple[DmnModel, list[dict[str, Any]]]:
    """A table of two columns, and inputs for it: of its types, of others, and null."""
    sorts = [draw(st.sampled_from(list(SORTS))) for _ in range(2)]
    rows = draw(st.lists(st.tuples(*map(cells, sorts)), min_size=1, max_size=12))
    policy, how = draw(policies)
    text = table(
        ["x", "y"],
        [""],
        [[*row, str(number % 3)] for number, row in enumerate(rows)],
        policy=policy,
        aggregation=how,
        values={"": "2, 0, 1"} if policy in ("PRIORITY", "OUTPUT ORDER") else {},
    )
    model = sound(dmn(given("x"), given("y"), decision("D", text, needs=("x", "y"))))
    values = [
        st.one_of(st.sampled_from(GIVEN[sort]), st.none(), st.sampled_from([1, "a", True, [1]])) for sort in sorts
    ]
    asks = draw(st.lists(st.tuples(*values), min_size=6, max_size=6))
    kinds = [named(sort) or ANY for sort in sorts]
    return model, [{"x": to_feel(x, kinds[0]), "y": to_feel(y, kinds[1])} for x, y in asks]


@contextmanager
def indexed(always: bool) -> Iterator[None]:
    """With an index from the first question on, or never."""
    least, after = (1, 0) if always else (1, 10**9)
    with mock.patch.object(tables, "LEAST_INDEXED", least), mock.patch.object(tables, "INDEXED_AFTER", after):
        yield


def told(result: DmnResult) -> tuple[Any, list[int], list[Any]]:
    steps = [step for step in result.steps if step.kind == "table"]
    return result.value, [row.number for step in steps for row in step.matched], [step.missed for step in steps]


@cases(asked())
def test_the_index_says_what_reading_from_the_top_says(case: tuple[DmnModel, list[dict[str, Any]]]) -> None:
    model, asks = case
    for inputs in asks:
        with indexed(False):
            right = model.evaluate("D", inputs)
        with indexed(True):
            found = model.evaluate("D", inputs)
        assert told(found) == told(right), inputs
        assert [str(one) for one in found.reasons] == [str(one) for one in right.reasons]


def test_null_passes_by_index_what_it_passes_otherwise() -> None:
    rows = [["not(1)", "0"], ["1", "1"], ["not(> 1)", "2"], ["null", "3"], ["!= 1", "4"], ["-", "5"]]
    model = sound(dmn(given("x"), decision("D", table(["x"], [""], rows, policy="COLLECT"), needs=("x",))))
    for value, wanted in ((None, [0, 3, 4, 5]), (1, [1, 2, 5]), (2, [0, 4, 5])):
        for always in (False, True):
            with indexed(always):
                assert model.evaluate("D", {"x": value}).value == wanted, (value, always)


def test_a_large_table_is_indexed_once_it_was_asked_often() -> None:
    draw = random.Random(5)
    rows = [[f"[{n}..{n + 40})", f'"{draw.choice("abc")}"', str(n)] for n in range(400)]
    logic = table(["x", "y"], [""], rows, policy="COLLECT")
    model = sound(dmn(given("x", "number"), given("y", "string"), decision("D", logic, needs=("x", "y"))))
    with mock.patch.object(
        tables.TableLogic, "_indexed", autospec=True, side_effect=tables.TableLogic._indexed
    ) as made:
        for ask in range(200):
            x, y = draw.randrange(500), draw.choice("abc")
            wanted = [n for n, row in enumerate(rows) if n <= x < n + 40 and y in row[1]]
            assert model.evaluate("D", {"x": x, "y": y}).value == wanted
            assert made.call_count == (400 * (ask + 1) > tables.INDEXED_AFTER)


@pytest.mark.parametrize(
    "text", ["x", "? > 1", "1, null", '1, "a"', "[2..1]", "date(x)", "abs(1)", "[1..null]", "1 + 1"]
)
def test_what_must_be_evaluated_is_not_plain(text: str) -> None:
    assert plains.plain(parse_tests(text, {"x": None}).root) is None


def test_a_name_in_scope_hides_the_function_that_makes_dates() -> None:
    root = parse_tests('date("2026-11-28")').root
    assert plains.plain(root) is not None and plains.plain(root, {"date"}) is None
