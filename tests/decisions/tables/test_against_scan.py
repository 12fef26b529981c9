"""The index answers as reading the table from the top does: every hit policy, every kind of cell, missing values."""

import numpy as np
import pytest
from hypothesis import given

from tests.decisions.tables.scan import Case, cases, scan
from tidegate.decisions.tables.evaluator import Evaluator
from tidegate.decisions.tables.regions import Regions
from tidegate.decisions.tables.sheet import sheet_of
from tidegate.decisions.tables.table import made
from tidegate.decisions.tables.trace import MOST_SHOWN


@given(cases())
def test_the_index_says_what_a_scan_says(case: Case) -> None:
    evaluator = Evaluator(case.table)
    for inputs in case.inputs:
        right, found = scan(case, inputs), evaluator.evaluate(inputs)
        told = f"{inputs}\n{case.text}"
        assert found.outputs == right.outputs, told
        assert [row.row for row in found.rows] == [str(n + 1) for n in right.rows[:MOST_SHOWN]], told
        assert found.matched == len(right.rows), told
        lacking = [name for name, value in inputs.items() if value is None]
        assert all(name in (found.said or "") for name in lacking), told
        assert ("no row matched" in (found.said or "")) == (not right.rows), told
        defaults = not right.rows and case.default is not None
        assert ("the default row decides" in (found.said or "")) == defaults, told
        assert (found.said is None) or lacking or not right.rows or None in right.outputs.values(), told
        for row in found.rows:
            cells = dict(zip(inputs, case.cells[int(row.row) - 1], strict=True))
            assert row.cells == {
                name: one.text(s) for (name, one), s in zip(cells.items(), case.sorts, strict=True) if not one.any
            }


@given(cases())
def test_a_batch_says_what_single_questions_say(case: Case) -> None:
    evaluator = Evaluator(case.table)
    single = []
    for inputs in case.inputs:
        evaluator.evaluate(inputs)
        single.append(evaluator._single[:, 0].copy())
    cells = np.array(single).T.copy()
    width = len(case.sorts)
    if not case.table.policy.is_list:
        cells[width:] = -1  # to be written again; lists have no columns
    evaluator.indexed.answer(cells, 0, cells.shape[1])
    assert np.array_equal(cells, np.array(single).T)


@given(cases())
def test_regions_tell_cells_apart_and_nothing_else(case: Case) -> None:
    for place in range(len(case.sorts)):
        cells = [row.cells[place] for row in case.table.rows]
        regions = Regions(cells)
        edges = {edge for cell in cells for low, high in cell.ranges for edge in (low - 1, low, high, high + 1)}
        for point in (edge for edge in edges if -(2**63) < edge < 2**63):
            region = regions.of(point)
            for cell in cells:
                inside = any(low <= point <= high for low, high in cell.ranges)
                assert inside == any(low <= region <= high for low, high in regions.runs(cell))
        for cell in cells:
            assert cell.missing == any(low <= 0 for low, _ in regions.runs(cell))


@pytest.mark.parametrize(("policy", "together"), [("collect +", 3.0), ("collect <", 1.0), ("collect >", 2.0)])
def test_the_trace_of_rows_that_make_one_number_says_when_the_default_row_decides(policy: str, together: float) -> None:
    lines = [[policy, "if n (number)", "then rate (number)"], ["", "> 1", 1], ["", "> 2", 2]]
    for rest, outputs, said in (
        ([["default", "", 9]], 9.0, "no row matched; the default row decides"),
        ([], None, "no row matched"),
    ):
        table = made(sheet_of("sum", list(enumerate([*lines, *rest], 1)), lambda line, head: ""))
        evaluator = Evaluator(table)
        nothing, matched = evaluator.evaluate({"n": 0.0}), evaluator.evaluate({"n": 5.0})
        assert (nothing.outputs, nothing.matched, nothing.said) == ({"rate": outputs}, 0, said)
        assert (matched.outputs, matched.matched, matched.said) == ({"rate": together}, 2, None)


def test_a_count_of_nothing_is_no_default() -> None:
    lines = [["collect #", "if n (number)", "then rate (number)"], ["", "> 1", 1]]
    table = made(sheet_of("count", list(enumerate(lines, 1)), lambda line, head: ""))
    found = Evaluator(table).evaluate({"n": 0.0})
    assert (found.outputs, found.said) == ({"rate": 0}, "no row matched")
