"""What `check` finds in scorecards: each kind with an example, and nothing in a good one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.decisions.scorecards.card import Card, made
from tidegate.decisions.scorecards.evaluator import Evaluator
from tidegate.decisions.scorecards.findings import check
from tidegate.decisions.scorecards.written import written_in

HEAD = ["scorecard", "bin", "points", "because", "count", "events"]


def card(*rows: list[Any]) -> Card:
    lines = list(enumerate([HEAD, *([*row, *[""] * (6 - len(row))] for row in rows)], 1))
    return made(written_in("c", lines, lambda line, head: f"line {line}"))


def told(*rows: list[Any], missing: tuple[str, ...] = ()) -> list[tuple[str, str, str, dict[str, str]]]:
    found = check(card(*rows), missing=missing).findings
    return [(one.kind, one.severity, one.said, one.example) for one in found]


def test_a_good_card_has_nothing() -> None:
    assert told(["age", "< 25", 1, "Age", 10, 4], ["", ">= 25", 2, "", 10, 2], ["", "missing", 1, "", 0, 0]) == []


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([["age (whole number)", "< 25", 1, "A"], ["", "[24..)", 2]], None),
        ([["age", "< 25", 1, "A"], ["", ">= 24", 2]],
         ("overlap", "error", "age: the bins < 25 and >= 24 hold for the same value", {"age": "24"})),
        ([["age", "missing", 1, "A"], ["", "< 5, missing", 2], ["", ">= 5", 3]],
         ("overlap", "error", "age: the bins missing and < 5, missing hold for a missing value", {"age": "missing"})),
        ([["age", "< 25", 1, "A"], ["", "> 25", 2]],
         ("gap", "error", "age: no bin holds for 25", {"age": "25"})),
        ([["age (number)", "< 25", 1, "A"], ["", ">= 26", 2]],
         ("gap", "error", "age: no bin holds for [25..26)", {"age": "25.5"})),
        ([["age (whole number: >= 0)", "[10..99]", 1, "A"]],
         ("gap", "warning", "age: no bin holds for [0..9]; there are no points then", {"age": "0"})),
        ([["home", "own", 1, "A"], ["", "rent", 2]], ("gap", "warning", "", {})),
        ([["age (whole number: >= 18)", "< 18", 1, "A"], ["", ">= 18", 2]],
         ("unreachable", "warning", "age: nothing falls into the bin < 18, for no such value can come", {})),
        ([["employed", "true", 1, "A"], ["", "false", 2], ["", "otherwise", 2]], ("unreachable", "warning", "", {})),
        ([["age", "< 25", 3, "A", 100, 50], ["", "[25..40)", 5, "", 100, 20], ["", ">= 40", 4, "", 100, 10]],
         ("order", "warning", "age: >= 40 has fewer points (4) than [25..40) (5), though its weight of evidence is "
          "higher (1.186, 0.375)", {"age (5 points)": "25", "age (4 points)": "40"})),
        ([["age", "< 25", 3], ["", ">= 25", 5]],
         ("words", "note", "age: no words say why points are lost, so its reason is told as age", {})),
    ],
)  # fmt: skip
def test_each_kind_is_found(rows: list[list[Any]], wanted: tuple[str, str, str, dict[str, str]] | None) -> None:
    if wanted is None:
        with pytest.raises(Exception, match="line 3: "):
            told(*rows)
        return
    kind, severity, said, example = wanted
    found = told(*rows)
    assert {one[:2] for one in found} == {(kind, severity)}, found
    assert said in found[0][2]
    assert not example or found[0][3] == example


def test_a_missing_value_without_a_bin_is_told_where_it_can_come() -> None:
    rows = [["age", "< 25", 1, "A"], ["", ">= 25", 2]]
    assert told(*rows) == []
    assert [one[1] for one in told(*rows, missing=("age",))] == ["warning"]


BINS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans(), st.booleans()), min_size=1, max_size=4
)  # fmt: skip


@given(BINS)
def test_gaps_and_overlaps_are_those_that_a_look_at_every_value_finds(drawn: Any) -> None:
    runs = [(min(a, b), max(a, b) + 1, o, c) for a, b, o, c in drawn]
    cells = [f"{'[' if o else '('}{a}..{b}{']' if c else ')'}" for a, b, o, c in runs]
    rows = [["x (number)", cells[0], 1, "W"], *[["", cell, 1] for cell in cells[1:]]]
    found = check(card(*rows)).findings

    def holding(x: float) -> int:
        return sum((a < x or (o and a == x)) and (x < b or (c and x == b)) for a, b, o, c in runs)

    points = [n / 2 for n in range(-2, 24)]
    held = [holding(x) for x in points]
    inside = [n for n, many in enumerate(held) if many]
    assert any(many > 1 for many in held) == any(one.kind == "overlap" for one in found)
    gap = any(many == 0 for many in held[inside[0] : inside[-1] + 1])
    assert gap == any(one.kind == "gap" and one.severity == "error" for one in found)
    for one in found:
        if one.kind in ("gap", "overlap"):
            value = float(one.example["x"])
            assert (holding(value) == 0) if one.kind == "gap" else (holding(value) > 1)
            if one.kind == "gap":
                assert Evaluator(card(*rows)).evaluate({"x": value}).points is None
