"""Decision tables: hit policies, aggregations, defaults, allowed values, and random ones against a plain reading."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as cases
from hypothesis import strategies as st

from tidegate.decisions.dmn import read_dmn, to_plain
from tidegate.decisions.dmn.hit_policy import chosen, ranked

from .written import asked, decision, dmn, given, literal, sound, table, why


def of_age(policy: str, rows: list[list[str]], age: Any, **more: Any) -> Any:
    """What a table over one input, Age, answers."""
    return asked(table(["Age"], [""], rows, policy=policy, **more), {"Age": age})


OVERLAPPING = [["< 30", '"young"'], ["[20..40]", '"middle"'], ["> 25", '"grown"']]


def test_unique_answers_with_the_one_row_that_fires() -> None:
    assert of_age("UNIQUE", OVERLAPPING, 10).value == "young"


def test_unique_says_which_rows_fired_where_more_than_one_did() -> None:
    result = of_age("UNIQUE", OVERLAPPING, 27)
    assert result.value is None
    assert "the hit policy is UNIQUE, and rows 1, 2 and 3 matched" in why(result)


def test_any_wants_the_same_outputs() -> None:
    rows = [["< 30", '"a"'], ["< 40", '"a"'], ["< 20", '"b"']]
    assert of_age("ANY", rows, 25).value == "a"
    assert "which differ" in why(of_age("ANY", rows, 10))


def test_first_and_rule_order_follow_the_rows() -> None:
    assert of_age("FIRST", OVERLAPPING, 27).value == "young"
    assert of_age("RULE ORDER", OVERLAPPING, 27).value == ["young", "middle", "grown"]
    assert of_age("COLLECT", OVERLAPPING, 27).value == ["young", "middle", "grown"]


def test_priority_and_output_order_follow_the_output_values() -> None:
    order = {"": '"grown", "young", "middle"'}
    assert of_age("PRIORITY", OVERLAPPING, 27, values=order).value == "grown"
    assert of_age("OUTPUT ORDER", OVERLAPPING, 27, values=order).value == ["grown", "young", "middle"]


def test_priority_without_output_values_follows_what_the_type_allows() -> None:
    kind = '<itemDefinition name="tK"><typeRef>string</typeRef><allowedValues><text>"grown", "young", "middle"</text>'
    more = f"{kind}</allowedValues></itemDefinition>"
    ask = {"Age": 27}
    logic = table(["Age"], [""], OVERLAPPING, policy="PRIORITY")
    assert asked(logic, ask, kind="tK", more=more).value == "grown"
    named = table(["Age"], ["k"], OVERLAPPING, policy="OUTPUT ORDER", types={"k": "tK"})
    assert asked(named, ask, more=more).value == ["grown", "young", "middle"]


def test_an_output_that_is_none_of_the_output_values_is_of_the_lowest_priority() -> None:
    outputs = [{"k": "other"}, {"k": "young"}, {"k": None}, {"k": "grown"}]
    ranks = ranked(outputs, {"k": ["grown", "young"]})
    assert ranks == [3, 1, 0, 2]
    assert chosen("PRIORITY", outputs, [1, 2, 3, 4], ranks, pytest.fail) == {"k": "grown"}


def test_priority_over_several_outputs_goes_from_left_to_right() -> None:
    rows = [["-", '"b"', "1"], ["-", '"a"', "3"], ["-", '"a"', "2"]]
    made = asked(table(["x"], ["k", "n"], rows, policy="OUTPUT ORDER", values={"k": '"a","b"', "n": "1,2,3"}), {"x": 0})
    assert to_plain(made.value) == [{"k": "a", "n": 2}, {"k": "a", "n": 3}, {"k": "b", "n": 1}]


@pytest.mark.parametrize(
    ("how", "wanted"), [("SUM", 60), ("MIN", 10), ("MAX", 30), ("COUNT", 3)], ids=["C+", "C<", "C>", "C#"]
)
def test_collect_aggregates(how: str, wanted: int) -> None:
    rows = [["-", "10"], ["-", "20"], ["-", "30"], ["> 100", "1000"]]
    assert of_age("COLLECT", rows, 1, aggregation=how).value == Decimal(wanted)


def test_of_no_rows_the_count_is_zero_the_list_is_empty_and_all_else_is_null() -> None:
    rows = [["> 100", "1"]]
    assert of_age("COLLECT", rows, 1, aggregation="COUNT").value == Decimal(0)
    assert of_age("COLLECT", rows, 1, aggregation="SUM").value is None
    assert of_age("COLLECT", rows, 1).value == []
    assert of_age("RULE ORDER", rows, 1).value is None


def test_hit_policies_may_be_written_by_their_letter() -> None:
    assert of_age("F", OVERLAPPING, 27).value == "young"
    assert of_age("r", OVERLAPPING, 27).value == ["young", "middle", "grown"]


def test_defaults_stand_in_where_no_row_fires() -> None:
    made = asked(table(["x"], ["k", "n"], [["1", '"a"', "1"]], defaults={"k": '"none"', "n": "x + 1"}), {"x": 5})
    assert to_plain(made.value) == {"k": "none", "n": 6}


def test_no_row_and_no_default_says_what_spoke_against_each_row() -> None:
    result = of_age("UNIQUE", OVERLAPPING[:2], 50)
    assert result.value is None and "none of its 2 rows matched, and it has no default" in why(result)
    (step,) = (one for one in result.steps if one.kind == "table")
    assert [(one.number, one.column, one.test, one.value) for one in step.missed] == [
        (1, "Age", "< 30", Decimal(50)),
        (2, "Age", "[20..40]", Decimal(50)),
    ]


def test_the_trace_names_the_rows_that_fired_with_their_cells_and_annotations() -> None:
    text = table(["Age"], [""], [["< 18", '"minor"']]).replace(
        "</rule>", "<annotationEntry><text>Law 7</text></annotationEntry></rule>"
    )
    result = asked(text, {"Age": 3})
    (step,) = (one for one in result.steps if one.kind == "table")
    assert step.inputs == {"Age": Decimal(3)}
    assert [(one.number, one.tests, one.annotations) for one in step.matched] == [(1, ("< 18",), ("Law 7",))]


def test_an_input_outside_of_the_input_values_is_told_and_the_rows_decide() -> None:
    result = of_age("FIRST", [["-", "1"]], 200, values={"Age": "[0..150]"})
    assert result.value == 1 and "200 is none of its input values: [0..150]" in why(result)


def test_an_output_outside_of_the_output_values_is_refused_by_row() -> None:
    result = of_age("FIRST", [["-", '"c"']], 1, values={"": '"a", "b"'})
    assert result.value is None
    assert "row 1" in why(result) and '"c" is none of its output values: "a", "b"' in why(result)


def test_an_output_of_another_type_than_declared_makes_the_table_null() -> None:
    result = asked(table(["x"], ["k", "n"], [["-", '"a"', "1"]], types={"k": "number"}), {"x": 0})
    assert result.value is None and 'row 1, output "k"' in why(result) and "is not of the type" in why(result)


def test_an_input_is_taken_as_it_is_unless_its_type_allows_no_such_value() -> None:
    kind = '<itemDefinition name="tR"><typeRef>string</typeRef><allowedValues><text>"a"</text></allowedValues>'
    for declared, wanted in (("string", 1), ("tR", None)):
        made = asked(
            table(["x"], [""], [["> 0", "1"]], types={"x": declared}), {"x": 5}, more=f"{kind}</itemDefinition>"
        )
        assert made.value == wanted
        assert wanted or "5 is none of the values allowed" in why(made)


def test_several_outputs_are_a_context_and_one_is_its_value() -> None:
    rows = [["-", '"a"', "1"]]
    assert to_plain(asked(table(["x"], ["k", "n"], rows), {"x": 0}).value) == {"k": "a", "n": 1}
    assert asked(table(["x"], ["k"], [["-", '"a"']]), {"x": 0}).value == "a"


def test_cells_see_names_and_the_value_that_is_tested() -> None:
    made = asked(
        table(["x"], [""], [["> y", '"above"'], ["? + 1 = y", '"just below"']], policy="FIRST"), {"x": 4, "y": 5}
    )
    assert made.value == "just below"


def test_a_table_without_inputs_fires_its_rows() -> None:
    assert asked(table([], [""], [["1"], ["2"]], policy="COLLECT")).value == [Decimal(1), Decimal(2)]


def test_a_cell_that_cannot_be_read_is_found_and_the_table_is_null() -> None:
    logic = table(["x"], [""], [["< (", "1"], ["-", "2"]], policy="FIRST")
    model = read_dmn(dmn(given("x"), decision("D", logic, needs=("x",))), "t.dmn")
    assert [one.severity for one in model.findings] == ["error"] and "row 1" in model.findings[0].place
    result = model.evaluate("D", {"x": 1})
    assert result.value is None and "cannot be read" in why(result)


@pytest.mark.parametrize(
    ("logic", "wrong"),
    [
        (table(["1"], [""], [["-", "1"]], policy="LAST"), 'there is no hit policy "LAST"'),
        (table(["1"], [""], [["-", "1"]], policy="COLLECT", aggregation="MEAN"), 'there is no aggregation "MEAN"'),
        (table(["1"], [], []), "the table has no output column"),
        (table(["1"], [""], [["-", "1", "2"]]), "row 1: it has 1 input and 2 output cells"),
        (table(["1"], ["a", ""], [["-", "1", "2"]]), "one of several outputs must have a name"),
    ],
)
def test_what_is_wrong_with_a_table_is_found(logic: str, wrong: str) -> None:
    found = [str(one) for one in read_dmn(dmn(decision("D", logic)), "t.dmn").findings if one.severity == "error"]
    assert any(wrong in one for one in found), found


# Random tables, against a reading of them as plain as can be.

numbers = st.integers(0, 9)
tests = st.one_of(
    st.just("-"),
    numbers.map(str),
    st.tuples(st.sampled_from(["<", "<=", ">", ">="]), numbers).map(lambda pair: f"{pair[0]} {pair[1]}"),
    st.tuples(st.sampled_from("[("), numbers, numbers, st.sampled_from("])")).map(
        lambda t: f"{t[0]}{min(t[1:3])}..{max(t[1:3])}{t[3]}"
    ),
    st.lists(numbers, min_size=1, max_size=3).map(lambda many: ", ".join(map(str, many))),
    numbers.map(lambda n: f"not({n})"),
)


def holds(test: str, value: int | None) -> bool:
    """Whether a test of those above holds."""
    if test == "-":
        return True
    if test.startswith("not("):
        return value is not None and value != int(test[4:-1])
    if value is None:
        return False
    if ".." in test:
        low, high = (int(one) for one in test[1:-1].split(".."))
        return (low < value or (test[0] == "[" and low == value)) and (
            value < high or (test[-1] == "]" and value == high)
        )
    if test[0] in "<>":
        sign, bound = test.split()
        return {"<": value < int(bound), "<=": value <= int(bound), ">": value > int(bound), ">=": value >= int(bound)}[
            sign
        ]
    return value in map(int, test.split(", "))


def plainly(policy: str, how: str, rows: list[tuple[str, str, int]], x: int, y: int) -> Any:
    """What the table answers, by the words of the standard."""
    matched = [out for a, b, out in rows if holds(a, x) and holds(b, y)]
    if not matched:
        return Decimal(0) if how == "COUNT" else [] if policy == "COLLECT" and not how else None
    if policy == "UNIQUE":
        return matched[0] if len(matched) == 1 else None
    if policy == "ANY":
        return matched[0] if len(set(matched)) == 1 else None
    if policy == "FIRST":
        return matched[0]
    if policy == "PRIORITY":
        return max(matched)  # the output values are listed from 9 to 0
    if policy == "OUTPUT ORDER":
        return sorted(matched, reverse=True)
    return {"": matched, "SUM": sum(matched), "MIN": min(matched), "MAX": max(matched), "COUNT": len(matched)}[how]


policies = st.sampled_from(
    [(one, "") for one in ("UNIQUE", "ANY", "FIRST", "PRIORITY", "RULE ORDER", "OUTPUT ORDER", "COLLECT")]
    + [("COLLECT", one) for one in ("SUM", "MIN", "MAX", "COUNT")]
)


@cases(
    policies,
    st.lists(st.tuples(tests, tests, numbers), min_size=1, max_size=6),
    st.lists(st.tuples(numbers, numbers), min_size=3, max_size=3),
)
def test_random_tables_answer_as_read_plainly(
    policy: tuple[str, str], rows: list[tuple[str, str, int]], asks: list[tuple[int, int]]
) -> None:
    text = table(
        ["x", "y"],
        [""],
        [[a, b, str(out)] for a, b, out in rows],
        policy=policy[0],
        aggregation=policy[1],
        values={"": ", ".join(map(str, range(9, -1, -1)))}
        if "R" in policy[0] and policy[0] in ("PRIORITY", "OUTPUT ORDER")
        else {},
    )
    model = sound(dmn(given("x"), given("y"), decision("D", text, needs=("x", "y"))))
    for x, y in asks:
        result = model.evaluate("D", {"x": x, "y": y})
        assert result.value == plainly(*policy, rows, x, y)
        assert (result.value is None) == bool(result.reasons)


def test_an_expression_of_another_language_is_refused() -> None:
    text = literal("a + b", expressionLanguage="http://www.java.com/java")
    (found,) = read_dmn(dmn(decision("D", text)), "t.dmn").findings
    assert "only FEEL is evaluated" in found.wrong
