"""Boxed expressions: contexts, invocations, functions, lists, relations, filters, iterators, conditionals."""

from decimal import Decimal
from typing import Any

import pytest

from tidegate.decisions.dmn import DmnResult, read_dmn, to_plain

from .written import asked, decision, dmn, formal, function, literal, sound, why


def context(*entries: tuple[str, str], **kinds: str) -> str:
    """A boxed context; an entry named "" is its result."""
    made = ""
    for name, logic in entries:
        kind = f' typeRef="{kinds[name]}"' if name in kinds else ""
        variable = f'<variable name="{name}"{kind}/>' if name else ""
        made += f"<contextEntry>{variable}{logic}</contextEntry>"
    return f"<context>{made}</context>"


def plain(result: DmnResult) -> Any:
    return to_plain(result.value)


def test_entries_of_a_context_see_those_before_them() -> None:
    made = asked(context(("net price", literal("x * 2")), ("gross", literal("net price + 1"))), {"x": 5})
    assert plain(made) == {"net price": 10, "gross": 11}


def test_the_last_entry_without_a_name_is_the_result() -> None:
    assert plain(asked(context(("a", literal("1")), ("", literal("a + 1"))))) == 2


def test_an_entry_is_of_its_declared_type() -> None:
    made = asked(context(("a", literal('"x"')), ("b", literal("[3]")), a="number", b="number"))
    assert plain(made) == {"a": None, "b": 3}
    assert 'entry "a"' in why(made) and "not of the type number" in why(made)


def test_a_function_in_a_context_may_call_itself() -> None:
    body = literal("if n <= 1 then 1 else n * fac(n - 1)")
    boxed = f"<functionDefinition>{formal('n: number')}{body}</functionDefinition>"
    assert plain(asked(context(("fac", boxed), ("", literal("fac(10)"))))) == 3628800
    written = literal("function(n: number) if n <= 1 then 1 else n * fac(n - 1)")
    assert plain(asked(context(("fac", written), ("", literal("fac(10)"))))) == 3628800


def test_a_function_in_a_context_may_be_declared_by_what_it_gives() -> None:
    """As Trisotech and KIE write it, and as a business knowledge model is declared."""
    body = literal('if n > 0 then n else "x"')
    boxed = f"<functionDefinition>{formal('n: number')}{body}</functionDefinition>"
    made = asked(context(("size", boxed), ("", literal("[size(2), size(-2)]")), size="number"))
    assert plain(made) == [2, None]
    assert "not of the type number" in why(made)


def test_a_function_goes_on_to_see_what_it_saw_when_it_was_made() -> None:
    made = asked(context(("f", literal("function() x")), ("x", literal("2")), ("", literal("[f(), x]"))), {"x": 1})
    assert plain(made) == [1, 2]


def test_a_function_that_hides_an_outer_name_may_call_itself() -> None:
    body = literal("if n <= 1 then 1 else n * fac(n - 1)")
    boxed = f"<functionDefinition>{formal('n: number')}{body}</functionDefinition>"
    made = asked(context(("x", literal("5")), ("fac", boxed), ("", literal("[fac(x), x]"))), {"x": 1})
    assert plain(made) == [120, 5]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(5)}.r", 120),
        ("{fac-1: function(n) if n = 0 then 1 else n * fac-1(n - 1), r: fac-1(5)}.r", 120),
        (
            "{two apart: function(n) if n = 0 then true else one apart(n - 1), "
            "one apart: function(n) if n = 0 then false else two apart(n - 1), r: two apart(10)}.r",
            True,
        ),
        ("{f: 1, r: {f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(5)}.r}.r", 120),
    ],
)
def test_a_function_in_a_context_of_feel_knows_its_entries_when_it_is_called(text: str, wanted: Any) -> None:
    model = sound(dmn(decision("D", literal(text))))
    result = model.evaluate("D", {})
    assert plain(result) == wanted and not result.reasons


@pytest.mark.parametrize("text", ["{a: b, b: 1}.a", "{a: a}.a", "{f: function(n) g(n), r: 1}.r", "{f: [f]}.f"])
def test_an_entry_that_is_no_function_knows_only_those_before_it(text: str) -> None:
    model = read_dmn(dmn(decision("D", literal(text))), "t.dmn")
    assert "nothing here is called" in model.findings[0].wrong


def test_a_function_is_called_by_a_boxed_invocation_with_arguments_by_name() -> None:
    call = (
        f"<invocation>{literal('Fee')}"
        f'<binding><parameter name="rate"/>{literal("0.1")}</binding>'
        f'<binding><parameter name="amount"/>{literal("x")}</binding></invocation>'
    )
    model = sound(
        dmn(
            function("Fee", "amount: number, rate: number", literal("amount * rate")),
            '<inputData name="x" id="x"/>',
            decision("D", call, needs=("x",), knows=("Fee",)),
        )
    )
    assert model.evaluate("D", {"x": 50}).value == Decimal(5)


@pytest.mark.parametrize(
    ("binding", "wrong"), [("rate", "nothing is bound to the parameter 'amount'"), ("other", "no parameter 'other'")]
)
def test_an_invocation_says_which_argument_is_wrong(binding: str, wrong: str) -> None:
    call = f'<invocation>{literal("Fee")}<binding><parameter name="{binding}"/>{literal("1")}</binding></invocation>'
    model = sound(dmn(function("Fee", "amount, rate", literal("amount")), decision("D", call, knows=("Fee",))))
    result = model.evaluate("D", {})
    assert result.value is None
    assert wrong in why(result)


def test_what_is_no_function_cannot_be_invoked() -> None:
    result = asked(f"<invocation>{literal('1')}</invocation>")
    assert result.value is None and "no function" in why(result)


def test_lists_and_relations() -> None:
    assert plain(asked(f"<list>{literal('1')}{literal('x')}</list>", {"x": 2})) == [1, 2]
    relation = (
        '<relation><column name="k"/><column name="n" typeRef="number"/>'
        f"<row>{literal(chr(34) + 'a' + chr(34))}{literal('1')}</row>"
        f"<row>{literal('null')}{literal('x')}</row></relation>"
    )
    assert plain(asked(relation, {"x": 2})) == [{"k": "a", "n": 1}, {"k": None, "n": 2}]


def filtered(source: str, match: str) -> DmnResult:
    return asked(f"<filter><in>{literal(source)}</in><match>{literal(match)}</match></filter>")


def test_a_filter_keeps_what_matches_and_is_always_a_list() -> None:
    assert plain(filtered("[1, 2, 3]", "item >= 2")) == [2, 3]
    assert plain(filtered("[1, 2, 3]", "item = 2")) == [2]
    assert plain(filtered("[{a: 1}, {a: 2}]", "item.a = 2")) == [{"a": 2}]
    assert plain(filtered("[]", "true")) == []


def test_a_filter_whose_match_is_no_boolean_is_null() -> None:
    result = filtered("[1, 2]", '"yes"')
    assert result.value is None and "a match is a string, not a boolean" in why(result)


def iterated(kind: str, source: str, body: str) -> DmnResult:
    word = "return" if kind == "for" else "satisfies"
    return asked(f'<{kind} iteratorVariable="one"><in>{literal(source)}</in><{word}>{literal(body)}</{word}></{kind}>')


def test_for_some_and_every() -> None:
    assert plain(iterated("for", "[1, 2, 3]", "one * 2")) == [2, 4, 6]
    assert plain(iterated("for", "[1, 2, 3]", "one + count(partial)")) == [1, 3, 5]
    assert plain(iterated("some", "[1, 2, 3]", "one > 2")) is True
    assert plain(iterated("every", "[1, 2, 3]", "one > 2")) is False
    assert plain(iterated("every", "[]", "false")) is True


def test_iterators_count_as_those_of_feel_do() -> None:
    assert plain(iterated("for", "1..3", "one * 2")) == [2, 4, 6]
    assert plain(iterated("for", "3..1", "one")) == [3, 2, 1]
    assert plain(iterated("for", " count([1, 2])..4 ", "one")) == [2, 3, 4]
    assert plain(iterated("for", "[1..3]", "one")) == [1, 2, 3]
    assert plain(iterated("some", "1..3", "one > 2")) is True
    assert plain(iterated("every", "1..3", "one > 2")) is False


def conditional(condition: str) -> DmnResult:
    parts = (("if", condition), ("then", "1"), ("else", "2"))
    return asked("<conditional>" + "".join(f"<{w}>{literal(t)}</{w}>" for w, t in parts) + "</conditional>")


def test_conditionals() -> None:
    assert [plain(conditional(one)) for one in ("true", "false", "null")] == [1, 2, 2]
    result = conditional('"x"')
    assert result.value is None and "the condition is a string, not a boolean" in why(result)


def host(kind: str) -> str:
    body = context(("class", literal('"java.lang.Math"')), ("method signature", literal('"max(double, double)"')))
    definition = f'<functionDefinition kind="{kind}">{formal("a, b")}{body}</functionDefinition>'
    return dmn(decision("D", context(("f", definition), ("", literal("f(1, 2)"))))).decode()


def test_functions_of_the_host_are_called_if_the_caller_gives_them() -> None:
    model = sound(host("Java").encode())
    assert [one.severity for one in model.findings] == ["warning"]
    seen: list[Any] = []

    def larger(what: dict[str, Any], names: list[str], arguments: list[Any]) -> Any:
        seen.append((what, names))
        return sum(arguments)

    assert model.evaluate("D", {}, functions=larger).value == Decimal(3)
    assert seen == [({"java": {"class": "java.lang.Math", "method signature": "max(double, double)"}}, ["a", "b"])]
    assert model.evaluate("D", {}).value == Decimal(2)  # what java.lang only computes is built in


def test_a_host_that_does_not_know_a_function_or_fails_is_told() -> None:
    model = read_dmn(host("PMML").encode(), "t.dmn")
    assert "it names no PMML document" in model.findings[0].wrong

    def fails(*_: Any) -> Any:
        raise ValueError("too large")

    assert "the host has no such function" in why(model.evaluate("D", {}))
    assert "the host's function failed: too large" in why(model.evaluate("D", {}, functions=fails))


def test_an_unknown_kind_of_function_is_found() -> None:
    (found,) = read_dmn(host("Cobol").encode(), "t.dmn").findings
    assert "functions of kind Cobol are not known" in str(found)


def test_a_decision_without_logic_is_null_and_says_so() -> None:
    result = asked("")
    assert result.value is None and "it has no expression" in why(result)
    model = sound(
        dmn(decision("Made elsewhere", ""), decision("D", literal("Made elsewhere + 1"), needs=("!Made elsewhere",)))
    )
    assert model.evaluate("D", {"Made elsewhere": 4}).value == Decimal(5)
