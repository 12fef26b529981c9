"""What is found in a table, against looking at every input there is: small domains, all hit policies."""

import re
from itertools import product
from random import Random
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.decisions.tables.scan import Draw
from tidegate.decisions.tables import findings
from tidegate.decisions.tables.coverage import gaps, matters, reached
from tidegate.decisions.tables.findings import check
from tidegate.decisions.tables.grid import Budget, Grid, UndecidedError
from tidegate.decisions.tables.meeting import Meeting
from tidegate.decisions.tables.peeling import peeled
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.sheet import sheet_of
from tidegate.decisions.tables.table import Table, made

Case = tuple[Table, list[list[str]], list[dict[str, Any]], bool]
VALUES: dict[str, tuple[Any, ...]] = {
    "n": tuple(range(6)),
    "t": tuple("abcd"),
    "b": (True, False),
    "m": (0, 1, 2),
}
HEADS = {"n": "n (whole number: [0..5])", "t": "t (text: a, b, c, d)", "b": "b (bool)", "m": "m (whole number: [0..2])"}
CELLS = {
    "n": ("-", "0", "< 3", ">= 2", "[1..4)", "(1..5]", "not(2)", "0, 5", "> 5", "missing", "not(0, 1), missing"),
    "t": ("-", "a", "b, c", "not(a)", "not(a, d)", "missing", "d, missing"),
    "b": ("-", "true", "false", "missing"),
    "m": ("-", "0", ">= 1", "not(1)", "2"),
}


def holds(text: str, value: Any) -> bool:
    """The few cells above, by hand."""
    if text == "-":
        return True
    if value is None:
        return "missing" in text
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, str):
        return {"a": value == "a", "b, c": value in "bc", "not(a)": value != "a", "not(a, d)": value in "bc",
                "missing": False, "d, missing": value == "d"}[text]  # fmt: skip
    return {"0": value == 0, "< 3": value < 3, ">= 2": value >= 2, "[1..4)": 1 <= value < 4, "(1..5]": value > 1,
            "not(2)": value != 2, "0, 5": value in (0, 5), "> 5": False, "missing": False,
            "not(0, 1), missing": value > 1, ">= 1": value >= 1, "not(1)": value != 1,
            "2": value == 2}[text]  # fmt: skip


@st.composite
def tables(draw: Draw, outputs: tuple[int, ...] = (1, 2, 3)) -> Case:
    """A small table, its cells, every input there is, and whether missing ones are among them."""
    names = draw(st.lists(st.sampled_from("ntbm"), min_size=1, max_size=3, unique=True))
    policy = draw(st.sampled_from(tuple(Policy)))
    cells = [[draw(st.sampled_from(CELLS[name])) for name in names] for _ in range(draw(st.integers(1, 6)))]
    lines: list[list[Any]] = [[policy.words, *(f"if {HEADS[name]}" for name in names), "then x (number: 3, 2, 1)"]]
    lines += [["", *row, draw(st.sampled_from(outputs))] for row in cells]
    if draw(st.booleans()) and policy is not Policy.COUNT:
        lines.append(["default", *[""] * len(names), 1])
    table = made(sheet_of("small", list(enumerate(lines, 1)), lambda line, head: f"line {line}"))
    missing = draw(st.booleans())
    every = product(*(VALUES[name] + ((None,) if missing else ()) for name in names))
    return table, cells, [dict(zip(names, values, strict=True)) for values in every], missing


def matching(table: Table, cells: list[list[str]], inputs: dict[str, Any]) -> list[int]:
    names = [column.name for column in table.inputs]
    return [n for n, row in enumerate(cells) if all(holds(c, inputs[name]) for c, name in zip(row, names, strict=True))]


def answer(table: Table, found: list[int]) -> Any:
    """What rows give together, by the hit policy."""
    policy, values = table.policy, [table.rows[n].outputs[0] for n in found]
    if policy is Policy.COUNT:
        return len(found)
    if not found:
        nothing = [] if policy.is_list else None
        return nothing if table.default is None else [1.0] if policy.is_list else 1.0
    if policy.is_list:
        return sorted(values, reverse=True) if policy is Policy.OUTPUT_ORDER else values
    if policy.is_sum:
        return {"C+": sum, "C<": min, "C>": max}[policy.value](values)
    if policy is Policy.PRIORITY:
        return max(values)
    clash = (len(found) > 1 and policy is Policy.UNIQUE) or (len(set(values)) > 1 and policy is Policy.ANY)
    return "clash" if clash else values[0]


@given(tables())
def test_what_is_found_is_what_every_input_shows(case: Case) -> None:
    table, cells, every, missing = case
    names = [column.name for column in table.inputs]
    matches = [matching(table, cells, inputs) for inputs in every]
    grid = Grid(table, missing=frozenset(names) if missing else frozenset())
    boxes, whole = gaps(grid, Budget(10**6))
    assert whole
    slabs, all_of_them = peeled(grid, Budget(10**6), 10**6)
    assert all_of_them
    points = [tuple(_region(grid, name, inputs[name]) for name in names) for inputs in every]
    for point, rows in zip(points, matches, strict=True):
        inside = sum(
            all(any(a <= r <= b for a, b in runs) for r, runs in zip(point, box, strict=True)) for box in boxes
        )
        assert inside == (not rows), "a point without rows lies in one box, any other in none"
        peels = sum(all(any(a <= r <= b for a, b in runs) for r, runs in zip(point, box, strict=True)) for box in slabs)
        assert peels == (not rows), "and in one slab"
    pairs = {(a, b) for rows in matches for a in rows for b in rows if a < b}
    met = {row: None if others is None else others.tolist() for row, others in Meeting(grid).each(10**9)}
    assert {(a, b) for a, others in met.items() for b in others or () if a < b} == pairs
    assert {(b, a) for a, others in met.items() for b in others or () if a > b} == pairs
    assert list(met) == list(range(grid.rows))
    for row in range(grid.rows):
        there = [rows for rows in matches if row in rows]
        assert bool(there) == (grid.empty(row) is None)
        if there:
            alone = any(len(rows) == 1 for rows in there)
            assert (reached(grid, row, grid.all & ~(1 << row), Budget(10**6)) is not None) == alone
    for place, name in enumerate(names):
        others: dict[Any, set[Any]] = {}
        for inputs, rows in zip(every, matches, strict=True):
            key = tuple(inputs[other] for other in names if other != name)
            others.setdefault(key, set()).add(repr(answer(table, rows)))
        assert (matters(grid, place, findings._Check(table, grid, 1)._result, Budget(10**6)) is not None) == any(
            len(results) > 1 for results in others.values()
        )


def _region(grid: Grid, name: str, value: Any) -> int:
    place = next(n for n, column in enumerate(grid.table.inputs) if column.name == name)
    if value is None:
        return 0
    return grid.regions[place].of(grid.table.inputs[place].line.equal(value)[0][0])


@given(tables())
def test_every_example_shows_what_is_said(case: Case) -> None:
    table, cells, every, missing = case
    names = [column.name for column in table.inputs]
    found = check(table, missing=names if missing else ())
    assert not found.undecided
    for finding in found.findings:
        if not finding.example:
            continue
        inputs = {name: _value(name, finding.example[name]) for name in names}
        assert inputs in every
        rows = [table.rows[n].name for n in matching(table, cells, inputs)]
        if finding.kind == "gap":
            assert not rows
            row = [finding.where.get(name, "-") for name in names]
            lines = [["first", *(f"if {HEADS[name]}" for name in names), "then x"], ["", *row, 1]]
            again = made(sheet_of("gap", list(enumerate(lines, 1)), lambda line, head: ""))  # it can be read as cells
            inside = Grid(again, missing=frozenset(names) if missing else frozenset())
            assert inside.empty(0) is None
        elif finding.kind in ("conflict", "overlap"):
            assert set(finding.rows) <= set(rows)
        else:
            assert finding.rows[0] in rows and len(rows) > 1
    decided: set[int] = set()
    for inputs in every:
        at = matching(table, cells, inputs)
        if at and table.policy is Policy.FIRST:
            decided.add(at[0])
        elif at and table.policy is Policy.PRIORITY:
            decided.add(max(at, key=lambda n: (table.rows[n].outputs[0], -n)))
        elif len(at) == 1 or table.policy is not Policy.UNIQUE:
            decided.update(at)
    never = {finding.rows[0] for finding in found.findings if finding.kind == "unreachable"} - {"default"}
    assert never == {row.name for n, row in enumerate(table.rows) if n not in decided}


@given(tables((1,)) | tables((2,)))
def test_whether_an_input_matters_is_told_where_all_rows_give_the_same(case: Case) -> None:
    table, cells, every, missing = case
    names = [column.name for column in table.inputs]
    with mock.patch.object(findings, "matters", side_effect=UndecidedError):
        found = check(table, missing=names if missing else ())
    results = [repr(answer(table, matching(table, cells, inputs))) for inputs in every]
    counts = table.policy is Policy.COUNT or table.policy is Policy.SUM or table.policy.is_list
    for name in names:
        others: dict[Any, set[str]] = {}
        for inputs, result in zip(every, results, strict=True):
            others.setdefault(tuple(inputs[other] for other in names if other != name), set()).add(result)
        idle = any(finding.kind == "idle" and finding.said.startswith(f"{name} ") for finding in found.findings)
        if not any(said.startswith(f"{name}: ") for said in found.undecided):
            assert idle == all(len(one) == 1 for one in others.values())
        else:
            assert counts or "conflict" in found.many


def test_a_large_table_of_one_output_is_decided() -> None:
    random, names = Random(3), [f"x{n}" for n in range(8)]
    lines: list[list[Any]] = [["any", *(f"if {name} (whole number: [0..999])" for name in names), "then y"]]
    for _ in range(300):
        starts = [random.randrange(800) for _ in names[:-1]]
        lines.append(["", *(f"[{start}..{start + 199}]" if random.random() < 0.7 else "-" for start in starts), "-", 1])
    lines.append(["", *["-"] * 7, ">= 500", 1])
    table = made(sheet_of("large", list(enumerate(lines, 1)), lambda line, head: ""))
    with mock.patch.object(findings, "matters", side_effect=UndecidedError):
        found = check(table, effort=50_000)
    assert not [said for said in found.undecided if "ever matters" in said]
    assert "idle" not in found.many
    lines.append(["", *["-"] * 7, "< 500", 1])
    whole = check(made(sheet_of("large", list(enumerate(lines, 1)), lambda line, head: "")), effort=50_000)
    assert whole.many["idle"] == 8


def _value(name: str, text: str) -> Any:
    if text == "missing":
        return None
    return text if name == "t" else text == "true" if name == "b" else int(text)


def test_a_budget_that_is_spent_is_told_and_what_was_found_holds() -> None:
    names = [f"x{n}" for n in range(6)]
    lines: list[list[Any]] = [["first", *(f"if {name} (whole number: [0..99])" for name in names), "then y"]]
    for row in range(60):
        cells = [
            f"[{(row * 7 + k * 13) % 90}..{(row * 7 + k * 13) % 90 + 9}]" if (row + k) % 3 else "-" for k in range(6)
        ]
        lines.append(["", *cells, row])
    table = made(sheet_of("large", list(enumerate(lines, 1)), lambda line, head: ""))
    found = check(table, effort=200)
    assert any(said.startswith("gaps: those told are gaps") for said in found.undecided)
    grid = Grid(table)
    try:
        matters(grid, 0, lambda mask: 0, Budget(100))
    except UndecidedError:
        pass
    else:
        raise AssertionError("it cannot be known for so little")


def _spans(many: int, last: str) -> Table:
    """Rows of one number each and a letter, the last of them with a cell of its own."""
    lines: list[list[Any]] = [["unique", "if n (whole number)", "if t (text: a, b)", "then y"]]
    lines += [["", f"{row}", "a, b" if row % 2 else "-", 1] for row in range(many)]
    lines.append(["", last, "b", 1])
    return made(sheet_of("long", list(enumerate(lines, 1)), lambda line, head: ""))


def test_the_overlap_of_two_rows_among_very_many_is_found() -> None:
    found = check(_spans(21_000, "[20998..20999], -5"))
    assert found.many["conflict"] == 2 and not any("overlap" in said for said in found.undecided)
    assert [finding.rows for finding in found.findings if finding.kind == "conflict"] == [
        ("20999", "21001"),
        ("21000", "21001"),
    ]


def test_pairs_beyond_the_measure_are_told_with_it() -> None:
    with mock.patch.object(findings, "MOST_PAIRS", 50):
        found = check(_spans(99, "[0..98]"))
    (told,) = (said for said in found.undecided if "overlap" in said)
    said = r"rows from (\d+) on: .*; of \d+ pairs of rows that may share n only 50 are compared"
    whole = re.fullmatch(said, told)
    assert whole, told
    assert found.many["conflict"] == int(whole[1]) - 1  # each row before that one meets the last


def _grown(seed: int, many: int, lacking: bool) -> Table:
    """Rows that part all there is by cuts here and there, each then made wider, so that they meet; or all but one."""
    chance, side, inputs = Random(seed), 100, 8
    boxes = [[(0, side)] * inputs]
    while len(boxes) < many:
        box, place = boxes.pop(chance.randrange(len(boxes))), chance.randrange(inputs)
        low, high = box[place]
        cut = (low + high + chance.randrange(3)) // 2
        halves = [(low, cut), (cut, high)] if low < cut < high else [(low, high)]
        boxes += [[*box[:place], half, *box[place + 1 :]] for half in halves]
    if lacking:
        boxes.remove(max(boxes, key=lambda box: min(high - low for low, high in box)))
    heads = [f"if x{n} (whole number: [0..{side - 1}])" for n in range(inputs)]
    lines: list[list[Any]] = [["first", *heads, "then y"]]
    for box in boxes:
        wide = [(max(0, low - chance.randrange(4)), min(side, high + chance.randrange(4))) for low, high in box]
        lines.append(["", *[f"[{low}..{high})" for low, high in wide], 1])
    return made(sheet_of("grown", list(enumerate(lines, 1)), lambda line, head: ""))


def test_rows_that_meet_everywhere_are_known_to_leave_nothing_or_something() -> None:
    whole = _grown(3, 300, False)
    assert gaps(Grid(whole), Budget(findings.EFFORT)) == ([], True)
    left, _ = gaps(Grid(_grown(3, 300, True)), Budget(findings.EFFORT))
    assert left
    grid = Grid(_grown(3, 300, True))
    for box in left:
        corner = [runs[0][0] for runs in box]
        for row in range(grid.rows):
            assert not all(low <= at <= high for at, of in zip(corner, grid.runs, strict=True) for low, high in of[row])
