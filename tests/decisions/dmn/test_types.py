"""Item definitions: components, collections, constraints, functions; what fits them, and what is made to."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tidegate.decisions.dmn import DmnResult, read_dmn, to_json, to_plain

from .written import decision, dmn, function, given, literal, sound, why


def item(name: str, base: str = "", inner: str = "", *, many: bool = False, allowed: str = "", whole: str = "") -> str:
    """An item definition."""
    made = f"<typeRef>{base}</typeRef>" if base else ""
    made += f"<allowedValues><text>{allowed}</text></allowedValues>" if allowed else ""
    made += f"<typeConstraint><text>{whole}</text></typeConstraint>" if whole else ""
    return f'<itemDefinition name="{name}" isCollection="{str(many).lower()}">{made}{inner}</itemDefinition>'


def component(name: str, base: str, *, many: bool = False) -> str:
    return f'<itemComponent name="{name}" isCollection="{str(many).lower()}"><typeRef>{base}</typeRef></itemComponent>'


TYPES = (
    item("tRisk", "string", allowed='"LOW", "HIGH"'),
    item("tRisks", "tRisk", many=True),
    item("tFew", "number", many=True, allowed="[0..10]", whole="count(?) &lt;= 2"),
    item("tLoan", inner=component("amount", "number") + component("risk", "tRisk") + component("due", "date")),
    item("tTree", inner=component("name", "string") + component("below", "tTree", many=True)),
    item("tLoans", "tLoan", many=True),
    item("tTest", inner='<functionItem outputTypeRef="boolean"><parameters name="n" typeRef="number"/></functionItem>'),
)


def fed(kind: str, value: Any) -> DmnResult:
    """A value given for an input of a type."""
    return sound(dmn(*TYPES, given("x", kind), decision("D", literal("x"), needs=("x",)))).evaluate("D", {"x": value})


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("number", 5, 5),
        ("number", 0.1, Decimal("0.1")),
        ("string", "a", "a"),
        ("tRisk", "LOW", "LOW"),
        ("tRisks", ["LOW", "HIGH"], ["LOW", "HIGH"]),
        ("tRisks", "LOW", ["LOW"]),
        ("number", [7], 7),
        ("tFew", [1, 2], [1, 2]),
        ("tLoan", {"amount": 1, "risk": "LOW", "due": "2025-01-31"}, {"amount": 1, "risk": "LOW", "due": "2025-01-31"}),
        ("tLoan", {"amount": None, "risk": "LOW", "due": None}, {"amount": None, "risk": "LOW", "due": None}),
        (
            "tTree",
            {"name": "a", "below": [{"name": "b", "below": []}]},
            {"name": "a", "below": [{"name": "b", "below": []}]},
        ),
        ("date", dt.date(2025, 1, 31), "2025-01-31"),
        ("time", dt.time(8, 30), "08:30:00"),
        ("dateTime", dt.datetime(2025, 1, 31, 8, tzinfo=dt.UTC), "2025-01-31T08:00:00Z"),
        ("dateTime", dt.datetime(2025, 1, 31, 8, tzinfo=ZoneInfo("Europe/Paris")), "2025-01-31T08:00:00@Europe/Paris"),
        ("date and time", "2025-01-31T08:00:00", "2025-01-31T08:00:00"),
        ("dayTimeDuration", dt.timedelta(days=1, hours=2), "P1DT2H"),
        ("yearMonthDuration", "P1Y2M", "P1Y2M"),
    ],
)
def test_values_that_fit_are_taken(kind: str, value: Any, wanted: Any) -> None:
    result = fed(kind, value)
    assert to_plain(result.value) == wanted
    assert not result.reasons


def test_a_date_is_midnight_where_a_date_and_time_is_wanted() -> None:
    assert to_plain(fed("date and time", dt.date(2025, 1, 31)).value) == "2025-01-31T00:00:00Z"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "5"),
        ("string", 5),
        ("tRisk", "MIDDLE"),
        ("tRisks", ["LOW", "MIDDLE"]),
        ("tFew", [1, 11]),
        ("tFew", [1, 2, 3]),
        ("number", [1, 2]),
        ("tLoan", {"amount": 1}),
        ("tLoan", {"amount": "1", "risk": "LOW", "due": None}),
        ("tTree", {"name": "a", "below": [{"name": 1, "below": []}]}),
        ("date", "31 January"),
        ("date", "2025-02-30"),
    ],
)
def test_values_that_do_not_fit_are_null_with_the_reason(kind: str, value: Any) -> None:
    result = fed(kind, value)
    assert result.value is None
    assert 'input data "x"' in why(result)


def test_values_that_feel_does_not_have_are_told() -> None:
    assert "FEEL has no value for a set" in why(fed("", {1, 2}))
    assert "FEEL has no number" in why(fed("number", float("nan")))
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    assert "nested more than" in why(fed("", deep))


def test_a_decision_is_of_its_declared_type() -> None:
    for kind, text, wanted in (
        ("tRisk", '"LOW"', "LOW"),
        ("tRisk", '"NONE"', None),
        ("tRisks", '"LOW"', ["LOW"]),
        ("number", "[1]", 1),
    ):
        result = sound(dmn(*TYPES, decision("D", literal(text), kind=kind))).evaluate("D", {})
        assert to_plain(result.value) == wanted
        assert (wanted is None) == bool(result.reasons)


def test_parameters_and_results_of_functions_are_of_their_declared_types() -> None:
    model = sound(
        dmn(
            *TYPES,
            function("f", "n: number", literal("n"), kind="string"),
            function("g", "n: number", literal("n"), kind="tTest"),
            decision("D", literal('[f(1), g("a"), g([2])]'), knows=("f", "g")),
        )
    )
    result = model.evaluate("D", {})
    assert result.value == [None, None, None]
    assert len(result.reasons) >= 3


def test_a_function_whose_result_is_declared_a_list_gives_what_it_makes() -> None:
    model = sound(
        dmn(
            *TYPES,
            function("f", "n", literal("n"), kind="tRisks"),
            decision("D", literal('[f("LOW"), f(["LOW"]), f("NO"), f(1)]'), knows=("f",)),
        )
    )
    assert model.evaluate("D", {}).value == ["LOW", ["LOW"], None, None]


def test_types_can_be_asked_for_in_feel_which_does_not_look_at_allowed_values() -> None:
    text = '["LOW" instance of tRisk, "NO" instance of tRisk, {} instance of tLoan]'
    assert sound(dmn(*TYPES, decision("D", literal(text)))).evaluate("D", {}).value == [True, True, False]


def test_members_whose_names_have_special_characters_are_found_by_their_type() -> None:
    kind = item("tT", inner=component("net-amount", "number") + component("first name", "string"))
    model = sound(dmn(kind, given("x", "tT"), decision("D", literal("x.net-amount + 1"), needs=("x",))))
    assert model.evaluate("D", {"x": {"net-amount": 4, "first name": ""}}).value == Decimal(5)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (given("x", "tRsk") + item("tRisk", "string"), 'there is no type "tRsk". Did you mean "tRisk"?'),
        (item("a", "b") + item("b", "a"), "it is defined by itself. Seen: a → b → a"),
        (item("a", "a"), "it is defined by itself"),
        (item("a", "string") + item("a", "number"), "another type has this name"),
        (item("a", "string", component("b", "number")), "it has both a type and components"),
        (item("a", inner=component("b", "number") * 2), 'it has two components "b"'),
        (item("a", "string", allowed="&lt; ("), "its allowed values cannot be read"),
        (item("", "string"), "it has no name"),
    ],
)
def test_what_is_wrong_with_types_is_found(body: str, wrong: str) -> None:
    found = [str(one) for one in read_dmn(dmn(body), "t.dmn").findings]
    assert any(wrong in one for one in found), found


def test_a_type_may_be_called_as_the_built_in_one_that_it_is_made_of() -> None:
    model = sound(dmn(item("number", "number"), given("x", "number"), decision("D", literal("x"), needs=("x",))))
    assert model.evaluate("D", {"x": 1}).value == 1 and model.evaluate("D", {"x": "a"}).value is None


def test_values_as_json_keep_their_digits_and_their_order() -> None:
    text = '{b: 0.1234567890123456789, a: [true, null, "é\\"x"], d: date("2025-01-31"), r: [1..2)}'
    value = sound(dmn(decision("D", literal(text)))).evaluate("D", {}).value
    assert (
        to_json(value) == '{"b": 0.1234567890123456789, "a": [true, null, "é\\"x"], "d": "2025-01-31", "r": "[1..2)"}'
    )


@pytest.mark.parametrize(
    ("kind", "value", "at_fault"),
    [
        ("tLoan", {"amount": "5", "risk": "LOW", "due": None}, 'amount: the string "5" is not of the type number'),
        ("tLoan", {"amount": 5, "risk": "LOW"}, "due is missing"),
        (
            "tLoans",
            [{"amount": 5, "risk": "LOW", "due": None}, {"amount": 5, "risk": 2, "due": None}],
            "[2].risk: the number 2 is not of the type string",
        ),
        (
            "tTree",
            {"name": "a", "below": [{"name": "b", "below": []}, {"name": 3, "below": []}]},
            "the number 3 is not of the type string",
        ),
        ("tLoan", 5, "the number 5 is not of the type"),
    ],
)
def test_what_of_a_value_is_not_of_its_type_is_named(kind: str, value: Any, at_fault: str) -> None:
    result = fed(kind, value)
    assert result.value is None and at_fault in why(result)
    assert "context of" not in why(result)
