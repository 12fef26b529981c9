"""What FEEL texts give, and why they are null."""

from decimal import Decimal

import pytest

from tidegate.expressions.feel.expression import parse, parse_tests
from tidegate.expressions.feel.given import Given, Trace
from tidegate.expressions.feel.literals import literal_of

GIVES = {
    "1 + 2 * 3": "7",
    "-2 ** 2": "4",
    "2 ** 3 ** 2": "64",
    "[1, 2, 3][item > 1]": "[2, 3]",
    "[1, 2, 3][-1]": "3",
    "{a: 1, b c: a + 1, d: b c * 2}.d": "4",
    "for i in 1..3 return i * i": "[1, 4, 9]",
    "for i in 3..1, j in [i] return j": "[3, 2, 1]",
    "for i in 0..4 return if i = 0 then 1 else i * partial[-1]": "[1, 1, 2, 6, 24]",
    "some x in [1, 2] satisfies x > 1": "true",
    "every x in [1, null] satisfies x > 0": "null",
    "5 in (> 3, < 2)": "true",
    "5 in (1..5]": "true",
    "5 in ]1..5[": "false",
    "[1..10[.end included": "false",
    'if 1 > 2 then "a" else "b"': '"b"',
    'date("2020-01-31") + duration("P1M")': '@"2020-02-29"',
    "sort([3, 1, 2], function(x, y) x < y)": "[1, 2, 3]",
    "true and null": "null",
    "false and null": "false",
    "true or null": "true",
    '@"PT36H" / 2': '@"PT18H"',
    "(function(n: number) n + 1)(n: 2)": "3",
    "[{a: 1}, {a: 2}].a": "[1, 2]",
    '"\\U01F40E" + "\\uD83D\\uDC0E"': '"🐎🐎"',
    "1 /* a */ + // b\n 2": "3",
}


@pytest.mark.parametrize("text", GIVES)
def test_a_text_gives(text: str) -> None:
    assert literal_of(parse(text).evaluate({})) == GIVES[text]


WHY = {
    '1 + "a"': "'+' does not take the number 1 and the string \"a\"",
    "1 / 0": "the number 1 is divided by zero",
    "0 ** -1": "'**' of the number 0 and the number -1 is no number",
    "foo": "nothing in scope is called 'foo'",
    '1 in > "a"': "'in' does not compare the number 1 with this",
    "[1..3] in [1..5]": "'in' does not compare a range with this",
    '1 in (@"P1D")': "'in' does not compare the number 1 with this",
    '1 < "a"': "'<' does not compare the number 1 with the string \"a\"",
    '@"2021-02-30"': "this is no date, time, date and time, or duration",
    'substring("abc", 4)': 'the number 4 is no place in the string "abc"',
    'substring(1, "a")': "substring: the parameter 'string' is the number 1, not of the type string",
    "{a: 1}.b": "a context of a has no entry 'b'",
    "[1, 2][3]": "the number 3 is no place in a list of 2: places count from 1, or from -1 at the end",
    '-"a"': 'minus is of a number or duration, and this is the string "a"',
}


@pytest.mark.parametrize("text", WHY)
def test_null_has_a_reason(text: str) -> None:
    trace = Trace()
    assert parse(text).evaluate({}, Given(trace=trace)) is None
    assert trace.reasons[0].why == WHY[text]


def test_names_are_the_longest_in_scope() -> None:
    names = dict.fromkeys(["a", "b", "a-b", "first name", "in stock", "if any"])
    scope = {"a": Decimal(5), "b": Decimal(3), "a-b": Decimal(7), "first name": "x", "in stock": True, "if any": True}
    assert parse("a-b", names).evaluate(scope) == 7
    assert parse("(a)-b", names).evaluate(scope) == 2
    assert parse("first  name + first name", names).evaluate(scope) == "xx"
    assert parse("in stock and if any", names).evaluate(scope) is True


@pytest.mark.parametrize(
    ("tests", "value", "holds"),
    [
        ("-", Decimal(1), True),
        ("> 3, [1..2]", Decimal(2), True),
        ("not(> 3, 1)", Decimal(1), False),
        ('"a", "b"', "b", True),
        ("? > 3 and ? < 5", Decimal(4), True),
        ("> 3", "a", None),
        ("null", None, True),
    ],
)
def test_unary_tests(tests: str, value: object, holds: bool | None) -> None:
    assert parse_tests(tests).holds(value, {}) is holds
