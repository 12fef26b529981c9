"""What would never end, or fill the memory, is refused in words; neither Python's stack nor its memory runs out."""

import pytest

from tidegate.expressions.feel.expression import parse, parse_tests
from tidegate.expressions.feel.given import Budget, Given, Trace
from tidegate.expressions.feel.refusals import FeelError, FeelLimitError

_DOUBLED = "for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]]"
_DEEP = "(for i in 1..2000 return if i = 1 then [1] else [partial[-1]])[-1]"

ENDLESS = {
    "{f: function(n) f(n + 1), r: f(0)}.r": "too deeply",
    "for i in 1..1000000000000 return i": "too large",
    "some i in 1..1000000000000 satisfies false": "more steps",
    "{f: function(n) if n = 0 then 1 else f(n - 1) + f(n - 1), r: f(40)}.r": "more steps",
    "for i in 1..10000, j in 1..10000 return 1": "too large",
    'for i in 1..60 return if i = 1 then "aaaaaaaaaaaaaaaaaaaaaa" else partial[-1] + partial[-1]': "too large",
    "for i in 1..60 return if i = 1 then [1, 2] else concatenate(partial[-1], partial[-1])": "too large",
    f"string({_DOUBLED})": "too large",
    f"{{l: {_DOUBLED}, r: l = l}}.r": "more steps",
    f"flatten({_DOUBLED})": "",
    f"{{l: {_DOUBLED}, r: l.a}}.r": "more steps",
    f"{{l: {_DOUBLED}, r: l in [l]}}.r": "more steps",
    f"string({_DEEP})": "too deeply",
    f"{{l: {_DEEP}, r: l = l}}.r": "too deeply",
    'string length(string join(for i in 1..100000 return "aaaaaaaaaaaaaaaaaaaa", ""))': "too large",
    r'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "((a+)+)\1c")': "more steps",
    '{s: string join(for i in 1..1000 return "a"), r: replace(s + s, "a", s)}.r': "too large",
}


@pytest.mark.parametrize("text", ENDLESS)
def test_an_evaluation_without_an_end_is_refused(text: str) -> None:
    with pytest.raises(FeelLimitError) as told:
        parse(text).evaluate({}, Given(trace=Trace(), budget=Budget(steps=300_000, size=50_000)))
    assert ENDLESS[text] in str(told.value)


DEEP = ["(", "[", "{a:", "not(", "function(a) ", "x in (", "[1..", "for x in ", "if ", "a[", "f("]


@pytest.mark.parametrize("text", DEEP)
def test_a_text_that_is_nested_too_deeply_is_refused_in_words(text: str) -> None:
    with pytest.raises(FeelError, match="too deeply"):
        parse(text * 3000)
    with pytest.raises(FeelError, match="too deeply"):
        parse_tests(text * 3000)


@pytest.mark.parametrize(
    "text",
    ["-" * 5000 + "1", "1 instance of " + "list<" * 5000, "a" + ".b" * 5000, "a" + "[1]" * 5000, "a" + "()" * 5000],
)
def test_a_chain_that_is_too_long_is_refused_in_words(text: str) -> None:
    with pytest.raises(FeelError, match="too deeply"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+".join(["1"] * 20_000), 20_000),
        (" and ".join(["true"] * 20_000), True),
        ("if false then 1 else " * 2000 + "3", 3),
        (f"flatten({_DEEP})", [1]),
        ("{f: function(n) if n <= 1 then 1 else n + f(n - 1), r: f(60)}.r", 1830),
        ('matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a+)+c")', False),
    ],
)
def test_what_is_long_and_not_deep_is_evaluated(text: str, value: object) -> None:
    assert parse(text).evaluate({}) == value


@pytest.mark.parametrize(
    "text",
    ["exp(100000)", "10 ** 6000 * 10 ** 6000", '@"999999999-12-31" + @"P1D"', 'matches("a", "((a{999}){999}){9}")'],
)
def test_results_past_what_there_is_are_null_with_a_reason(text: str) -> None:
    trace = Trace()
    assert parse(text).evaluate({}, Given(trace=trace)) is None
    assert trace.reasons


def test_a_trace_keeps_a_thousand_reasons_and_counts_the_rest() -> None:
    trace = Trace()
    parse("for i in 1..3000 return i + null").evaluate({}, Given(trace=trace))
    assert len(trace.reasons) == 1000
    assert trace.more == 2000


def test_a_call_costs_what_it_takes() -> None:
    """Some two seconds of calls, not twelve: the steps of a budget are alike in time."""
    budget = Budget()
    parse("{f: function(n) n, r: count(for i in 1..1000 return f(i))}.r").evaluate({}, Given(budget=budget))
    assert Budget().steps - budget.steps >= 6000


@pytest.mark.parametrize("text", ["(function(a, a) a)(1, 2)", "function(a: number, b, a: string) 1"])
def test_two_parameters_of_one_name_are_refused(text: str) -> None:
    with pytest.raises(FeelError, match="Two parameters have one name"):
        parse(text)


@pytest.mark.parametrize("text", ["not(1), 3", "not(< 5), not(7)"])
def test_what_stands_beside_a_negation_is_refused(text: str) -> None:
    with pytest.raises(FeelError, match="stands alone"):
        parse_tests(text)
