"""The requirements graph: what an element sees, imports, services, and what goes in circles."""

import sys
from decimal import Decimal

import pytest

from tidegate.decisions.dmn import DmnModel, read_dmn, to_plain
from tidegate.errors import DocumentError
from tidegate.expressions.feel.refusals import FeelLimitError

from .written import decision, dmn, function, given, literal, service, sound, why

FEES = dmn(
    '<itemDefinition name="tLoan">',
    '<itemComponent name="amount"><typeRef>number</typeRef></itemComponent></itemDefinition>',
    given("Rate", "number"),
    function("Share", "part: number, whole: number", literal("part / whole")),
    decision("Base Fee", literal("Rate * 100"), needs=("Rate",)),
    namespace="urn:fees",
)


def test_an_element_sees_what_it_requires_and_nothing_else() -> None:
    model = read_dmn(dmn(given("a"), given("b"), decision("D", literal("[a, b]"), needs=("a",))), "t.dmn")
    assert to_plain(model.evaluate("D", {"a": 1, "b": 2}).value) == [1, None]
    (found,) = model.findings
    assert 'nothing here is called "b"' in found.wrong and "It is input data that is not required here" in found.do


def test_decisions_required_are_made_once_and_first() -> None:
    model = sound(
        dmn(
            given("x"),
            decision("A", literal("x + 1"), needs=("x",)),
            decision("B", literal("A * 10"), needs=("!A",)),
            decision("C", literal("A + B"), needs=("!A", "!B")),
        )
    )
    result = model.evaluate("C", {"x": 1})
    assert result.value == Decimal(22)
    assert [step.place for step in result.steps] == ['decision "A"', 'decision "B"', 'decision "C"']


def test_chains_of_decisions_may_be_long() -> None:
    links = [decision(f"D{n}", literal(f"D{n - 1} + 1"), needs=(f"!D{n - 1}",)) for n in range(1, 3000)]
    model = sound(dmn(decision("D0", literal("0")), *links))
    assert model.evaluate("D2999", {}).value == Decimal(2999)


def test_what_is_not_given_is_null_and_named() -> None:
    result = sound(dmn(given("x"), decision("D", literal("x + 1"), needs=("x",)))).evaluate("D", {})
    assert result.value is None and 'input data "x" (test.dmn:2): it was not given' in why(result)


def test_what_a_decision_needs_can_be_asked() -> None:
    model = sound(
        dmn(
            given("x", "number"),
            given("y"),
            decision("A", literal("x"), needs=("x",)),
            decision("B", literal("A"), needs=("!A",)),
        )
    )
    assert {name: str(kind) for name, kind in model.needed("B").items()} == {"x": "number"}


def test_decisions_that_require_each_other_are_refused() -> None:
    circle = dmn(
        decision("A", literal("B"), needs=("!B",)),
        decision("B", literal("C"), needs=("!C",)),
        decision("C", literal("A"), needs=("!A",)),
    )
    with pytest.raises(DocumentError, match="require each other in a circle") as told:
        read_dmn(circle, "t.dmn")
    assert "A → B → C → A" in told.value.seen


def test_functions_may_call_each_other() -> None:
    model = sound(
        dmn(
            function("even", "n", literal("if n = 0 then true else odd(n - 1)"), knows=("odd",)),
            function("odd", "n", literal("if n = 0 then false else even(n - 1)"), knows=("even",)),
            decision("D", literal("[even(7), odd(7)]"), knows=("even", "odd")),
        )
    )
    assert model.evaluate("D", {}).value == [False, True]


def test_a_function_may_call_itself() -> None:
    model = sound(
        dmn(
            function("fac", "n", literal("if n <= 1 then 1 else n * fac(n - 1)")),
            decision("D", literal("fac(12)"), knows=("fac",)),
        )
    )
    assert model.evaluate("D", {}).value == Decimal(479001600)
    assert model.call("fac", {"n": 5}).value == Decimal(120)


def test_nothing_is_decided_on_an_input_that_was_refused() -> None:
    model = sound(
        dmn(
            given("x", "number"),
            decision("A", literal("if x = null then 1 else 2"), needs=("x",)),
            decision("B", literal("if A = null then 1 else 2"), needs=("!A",)),
            service("S", ["B"], owns=["A"], given=["x"]),
        )
    )
    assert model.evaluate("B", {}).value == model.service("S", {"x": None}).value == Decimal(2)
    for result in (model.evaluate("B", {"x": "a"}), model.service("S", {"x": "a"})):
        assert result.value is None
        assert 'decision "A" (test.dmn:3): it requires input data "x", whose value was refused' in why(result)
        assert 'decision "B" (test.dmn:4): it requires decision "A", whose value was refused' in why(result)


# Imports


def imported(**files: bytes) -> DmnModel:
    top = dmn(
        '<import name="fees" namespace="urn:fees" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>',
        given("Loan", "fees.tLoan"),
        decision(
            "Fee",
            literal("fees.Base Fee + fees.Share(Loan.amount, 4)"),
            needs=("Loan", "!urn:fees#Base Fee"),
            knows=("urn:fees#Share",),
        ),
    )
    return read_dmn(top, "top.dmn", imports={f"{name}.dmn": data for name, data in files.items()})


def test_elements_and_types_of_an_imported_model_go_by_the_name_of_the_import() -> None:
    model = imported(other=dmn(namespace="urn:other"), fees=FEES)
    assert not model.findings
    assert list(model.inputs) == ["Loan", "fees.Rate"]
    for inputs in ({"Rate": 2}, {"fees.Rate": 2}, {"{urn:fees}Rate": 2}, {"fees": {"Rate": 2}}):
        assert model.evaluate("Fee", {"Loan": {"amount": 8}, **inputs}).value == Decimal(202)
    for name in ("fees.Base Fee", "Base Fee"):
        assert model.evaluate(name, {"Rate": 1}).value == Decimal(100)
    assert model.evaluate("Fee", {"Loan": {"sum": 8}, "Rate": 2}).value is None


def test_an_import_without_a_name_merges_the_names() -> None:
    top = dmn(
        '<import name="" namespace="urn:fees"/>',
        decision("Fee", literal("Base Fee + 1"), needs=("!urn:fees#Base Fee",)),
        decision("Same", literal("Base Fee"), needs=("!Base Fee",)),
    )
    model = sound(top, imports={"fees.dmn": FEES})
    assert model.evaluate("Fee", {"Rate": 2}).value == Decimal(201)
    assert model.evaluate("Same", {"Rate": 2}).value == Decimal(200)


def test_an_import_that_is_not_there_is_found() -> None:
    model = imported()
    wrong = [str(one) for one in model.findings]
    assert any("no model of the namespace urn:fees was given" in one for one in wrong), wrong
    assert model.evaluate("Fee", {}).value is None


def test_models_that_import_each_other_are_refused() -> None:
    a = dmn('<import name="b" namespace="urn:b"/>', namespace="urn:a")
    b = dmn('<import name="a" namespace="urn:a"/>', namespace="urn:b")
    with pytest.raises(DocumentError, match="imports models that import it") as told:
        read_dmn(a, "a.dmn", imports={"a.dmn": a, "b.dmn": b})
    assert "urn:a → urn:b → urn:a" in told.value.seen


def test_two_files_of_one_namespace_are_refused_unless_the_import_names_one() -> None:
    other = FEES.replace(b"Rate * 100", b"Rate * 7")
    with pytest.raises(DocumentError, match="two files have"):
        imported(fees=FEES, older=other)
    top = dmn('<import name="f" namespace="urn:fees" locationURI="../x/older.dmn"/>')
    model = read_dmn(top, "top.dmn", imports={"fees.dmn": FEES, "older.dmn": other})
    assert model.evaluate("f.Base Fee", {"Rate": 1}).value == Decimal(7)


def test_an_import_of_something_else_is_found() -> None:
    top = dmn('<import name="s" namespace="urn:s" importType="http://www.w3.org/2001/XMLSchema"/>')
    (found,) = read_dmn(top, "t.dmn").findings
    assert "only DMN and PMML models are imported" in found.wrong


# Services

SERVED = (
    given("x", "number"),
    decision("Inner", literal("x + 1"), needs=("x",)),
    decision("Told", literal("100")),
    decision("Outer", literal("Inner * 10 + Told"), needs=("!Inner", "!Told")),
    service("One", ["Outer"], owns=["Inner"], given=["x", "!Told"]),
    service("Both", ["Outer", "Inner"], given=["x", "!Told"]),
)


def test_a_service_answers_with_its_output_or_a_context_of_its_outputs() -> None:
    model = sound(dmn(*SERVED))
    assert model.service("One", {"x": 1, "Told": 5}).value == Decimal(25)
    assert to_plain(model.service("Both", {"x": 1, "Told": 5}).value) == {"Outer": 25, "Inner": 2}


def test_a_service_takes_what_it_is_given_for_a_decision_and_null_for_what_is_not() -> None:
    result = sound(dmn(*SERVED)).service("One", {"x": 1})
    assert result.value is None and 'decision "Told"' in why(result) and "it was not given" in why(result)


def test_a_service_is_a_function_of_its_inputs_and_then_its_decisions() -> None:
    calls = [
        decision("P", literal("One(2, 7)"), knows=("One",)),
        decision("N", literal("One(Told: 7, x: 2)"), knows=("One",)),
        decision("C", literal("Both(2, 7).Inner"), knows=("Both",)),
    ]
    model = sound(dmn(*SERVED, *calls))
    assert [model.evaluate(name, {"x": 50}).value for name in "PNC"] == [Decimal(37), Decimal(37), Decimal(3)]


def test_a_service_does_not_see_inputs_that_it_is_not_given() -> None:
    model = read_dmn(
        dmn(
            *SERVED[:4],
            service("Blind", ["Outer"], owns=["Inner", "Told"]),
            decision("D", literal("Blind()"), knows=("Blind",)),
        ),
        "t.dmn",
    )
    assert any('it does not take input data "x"' in str(one) for one in model.findings)
    assert model.evaluate("D", {"x": 1}).value is None


@pytest.mark.parametrize("name", ["Rate", "fees.Rate"])
def test_a_service_takes_an_imported_input_by_either_of_its_names(name: str) -> None:
    call = f'<invocation>{literal("S")}<binding><parameter name="{name}"/>{literal("3")}</binding></invocation>'
    top = dmn(
        '<import name="fees" namespace="urn:fees"/>',
        decision("Twice", literal("fees.Rate * 2"), needs=("urn:fees#Rate",)),
        service("S", ["Twice"], given=["urn:fees#Rate"]),
        decision("D", call, knows=("S",)),
        decision("E", literal("S(4)"), knows=("S",)),
    )
    model = sound(top, imports={"fees.dmn": FEES})
    assert [to_plain(model.evaluate(one, {}).value) for one in ("D", "E")] == [6, 8]
    assert not model.evaluate("D", {}).reasons


def test_asking_for_what_is_not_there_names_what_is_near() -> None:
    model = sound(dmn(*SERVED))
    with pytest.raises(DocumentError, match=r'no decision "Innner"') as told:
        model.evaluate("Innner", {})
    assert told.value.do == 'Did you mean "Inner"?'
    with pytest.raises(DocumentError, match="no decision service"):
        model.service("Inner", {})
    with pytest.raises(DocumentError, match="no business knowledge model"):
        model.call("x", {})


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (decision("D", literal("1"), needs=("x",)), 'it refers to "#x", which is not there'),
        (given("x") + decision("D", literal("1"), knows=("x",)), 'it cannot refer to input data "x" in this way'),
        (decision("A", literal("1")) + decision("A", literal("2")), 'decision "A" has the same name'),
        (given("x") + given("x"), 'another element has the id "x"'),
        (decision("D", literal("1"), needs=("urn:far#x",)), "Import its model"),
        (service("S", []), "it has no output decision, so answers nothing"),
    ],
)
def test_what_is_wrong_with_requirements_is_found(body: str, wrong: str) -> None:
    found = [str(one) for one in read_dmn(dmn(body), "t.dmn").findings]
    assert any(wrong in one for one in found), found


def test_an_element_may_have_the_name_of_an_import() -> None:
    to_other = '<import name="Other" namespace="urn:other"/>'
    other = dmn(decision("B", literal("2")), function("Other", "x", literal("x + 40")), namespace="urn:other")
    calls = function("Other", "x", literal("Other.Other(x)"), knows=("urn:other#Other",))
    model = read_dmn(dmn(to_other, calls, decision("D", literal("Other(2)"), knows=("Other",))), imports={"o": other})
    assert to_plain(model.evaluate("D", {}).value) == 42
    assert ["an import has the same name" in one.wrong for one in model.findings] == [True]


def test_what_an_import_brings_is_not_put_into_a_decision_of_its_name() -> None:
    model = read_dmn(
        dmn(
            '<import name="Other" namespace="urn:other"/>',
            decision("Other", literal("{a: 1}")),
            decision("D", literal("Other.B"), needs=("!Other", "!urn:other#B")),
            decision("E", literal("[Other, D]"), needs=("!Other", "!D")),
        ),
        imports={"o": dmn(decision("B", literal("2")), namespace="urn:other")},
    )
    assert to_plain(model.evaluate("E", {}).value) == [{"a": 1}, 2]


def test_functions_may_call_themselves_hundreds_of_times_and_not_without_an_end() -> None:
    faculty = function("f", "n: number", literal("if n <= 1 then 1 else n * f(n - 1)"), kind="number", knows=("f",))
    asks = decision("D", literal("f(n) / f(n - 1)"), needs=("n",), knows=("f",))
    model = sound(dmn(given("n", "number"), faculty, asks))
    before = sys.getrecursionlimit()
    assert to_plain(model.evaluate("D", {"n": 300}).value) == 300
    with pytest.raises(FeelLimitError, match="too deeply"):
        model.evaluate("D", {"n": 100_000})
    assert sys.getrecursionlimit() == before, (
        "what is written in C would overflow the stack with Python's limit so high"
    )
