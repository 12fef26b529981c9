"""Built-in functions at the edges of their domains (DMN 1.5, 10.3.4): what they give, and where they are null."""

import pytest

from tidegate.expressions.feel.expression import parse
from tidegate.expressions.feel.given import Given, Trace
from tidegate.expressions.feel.literals import literal_of

GIVES = {
    "strings": {
        'substring("tide gate", 6)': '"gate"',
        'substring("tide gate", -4, 2)': '"ga"',
        'substring("tide", 3, 9)': '"de"',
        'string length("\\U01F30Aab")': "3",
        'substring before("tide", "")': '""',
        'substring after("tide", "")': '"tide"',
        'substring after("tide", "x")': '""',
        'starts with("tide", "")': "true",
        'replace("tide", "(t)(x)?", "[$1|$2]")': '"[t|]ide"',
        'replace("a.b", ".", "-", "q")': '"a-b"',
        'matches("a\\nb", "^b$", "m")': "true",
        'split("a;;b;", ";")': '["a", "", "b", ""]',
        'string join(["a", null, "b"], "-")': '"a-b"',
        'string join([], "-")': '""',
        "string(1.10)": '"1.10"',
        'string(@"P1Y13M")': '"P2Y1M"',
    },
    "numbers": {
        "floor(-1.56, 1)": "-1.6",
        "ceiling(-1.56, 1)": "-1.5",
        "decimal(2.5, 0)": "2",
        "decimal(125, -1)": "120",
        "round half up(-2.5, 0)": "-3",
        "round half down(-2.5, 0)": "-2",
        "round up(-1.121, 2)": "-1.13",
        "round down(1.126, 2)": "1.12",
        "modulo(-10.1, 4.5)": "3.4",
        "modulo(10.1, -4.5)": "-3.4",
        "mean(9*10**6144, 9*10**6144) = 9*10**6144": "true",
        "median(9*10**6144, 9*10**6144) = 9*10**6144": "true",
        "stddev(3*10**6144, 5*10**6144, 4*10**6144) = 10**6144": "true",
        "stddev(3*10**-5000, 5*10**-5000, 4*10**-5000) = 10**-5000": "true",
        "sum(9*10**6144, 9*10**6144)": "null",
        "stddev(9*10**6144, -9*10**6144)": "null",
        "mean(10**-6176, 2*10**-6176) = 2*10**-6176": "true",
        "abs(@\"-P1Y\")": '@"P1Y"',
        "even(0)": "true",
        "odd(-1)": "true",
        "product(2, 3, 4)": "24",
        "mode(6, 3, 9, 6, 3)": "[3, 6]",
        "median([6, 1, 2, 3])": "2.5",
        'number("1.000,5", ".", ",")': "1000.5",
        'number("1000.5", null, ",")': "1000.5",
    },
    "lists": {
        "sublist([1, 2, 3], -2, 2)": "[2, 3]",
        "insert before([1, 3], -1, 2)": "[1, 2, 3]",
        "remove([1, 2, 3], -1)": "[1, 2]",
        "index of([1, null, 1], null)": "[2]",
        "union([1, 2], [2, 3])": "[1, 2, 3]",
        "distinct values([1, null, 1.0, null])": "[1, null]",
        "flatten([[1, [2]], 3])": "[1, 2, 3]",
        "concatenate([1], 2, [[3]])": "[1, 2, [3]]",
        "list replace([2, 4, 7], -1, 6)": "[2, 4, 6]",
        "list replace([2, 4, 7], function(item, newItem) item < newItem, 5)": "[5, 5, 7]",
        'sort(list: ["b", "a"], precedes: function(x, y) x < y)': '["a", "b"]',
        "any([false, null, true])": "true",
        "all([true, null, false])": "false",
        "any([])": "false",
        "all([])": "true",
    },
    "contexts": {
        'context put({x: 1, y: {a: 0}}, ["y", "b"], 2)': "{x: 1, y: {a: 0, b: 2}}",
        'context put({x: 1, y: 0}, "x", 2)': "{x: 2, y: 0}",
        "context merge([{x: 1}, {x: 2, y: 3}])": "{x: 2, y: 3}",
        'context([{key: "a", value: 1, more: 2}])': "{a: 1}",
        'get value({a: null}, "a")': "null",
    },
    "times": {
        'time("23:59:00z") + duration("PT2M") = time("00:01:00@Etc/UTC")': "true",
        'years and months duration(date("2015-02-28"), date("2015-01-31"))': '@"P0M"',
        'years and months duration(date("2013-08-24"), date("2011-12-22"))': '@"-P1Y8M"',
        'date(date and time("2026-11-28T23:00:00@Europe/Paris"))': '@"2026-11-28"',
        'time(11, 45, 30, @"PT2H")': '@"11:45:30+02:00"',
        'week of year(date("2005-01-01"))': "53",
        'is(@"10:00:00Z", @"10:00:00+00:00")': "true",
        'is(@"10:00:00Z", @"10:00:00")': "false",
    },
    "ranges": {
        "before([1..10), [10..20])": "true",
        "overlaps before([1..5], (1..5])": "true",
        "finished by([1..10], (1..10])": "true",
        "starts([1..10), [1..10])": "true",
        "coincides([1..5], (1..5))": "false",
        'range("[1..5)").end included': "false",
        "[1..1].start": "1",
    },
    "arguments": {
        "(function(a, b) [a, b])(b: 2)": "[null, 2]",
        'list contains(list: [1, null])': "true",
        'contains(["tide"], "id")': "true",
    },
}  # fmt: skip


@pytest.mark.parametrize("text", [text for family in GIVES.values() for text in family])
def test_a_function_gives(text: str) -> None:
    wanted = {text: value for family in GIVES.values() for text, value in family.items()}
    assert literal_of(parse(text).evaluate({})) == wanted[text]


WHY = {
    "sublist([1, 2, 3], 2, 3)": "longer than what is left",
    "sublist([1, 2, 3], -1, 2)": "longer than what is left",
    "sublist([1], 0)": "is no place in",
    'any([true, "x"])': "which is no boolean",
    "all([false, 0])": "which is no boolean",
    "all([true, null])": "may be either",
    'context put({x: 1}, ["y", "b"], 2)': "which is no context",
    'context put({x: 1}, [], 2)': "there are no keys",
    '[5..1]': "cannot start at",
    'range("[5..1]")': "is no range",
    '["a"..1]': "a range cannot go from",
    "floor(1, 6177)": "the scale lies between",
    "sqrt(-1)": "has no square root",
    "modulo(1, 0)": "the divisor is zero",
    "odd(1.5)": "is no whole number",
    "mean([])": "there are no numbers",
    "stddev(47)": "has no standard deviation",
    'number("1,000,5", ",", ",")': "not grouped by their decimal separator",
    'number("1.000,5", null, ",")': "is no number",
    'split("abc", "")': "matches nothing at all",
    'replace("abc", "(", "x")': "is no regular expression",
    'date("2026-02-29")': "is no date",
    "time(24, 0, 0)": "there is no time of",
    'duration("P1Y1D")': "is no duration",
    'context([{key: "a", value: 1}, {key: "a", value: 2}])': "two entries",
    "before(1, null)": "one is null",
    "(function(a, b) [a, b])(2)": "the parameter 'b' is missing",
    "(function(a, b) [a, b])(c: 2)": "there is no parameter 'c'",
}  # fmt: skip


@pytest.mark.parametrize("text", WHY)
def test_outside_its_domain_a_function_is_null_and_says_why(text: str) -> None:
    trace = Trace()
    assert parse(text).evaluate({}, Given(trace=trace)) is None
    assert WHY[text] in trace.reasons[0].why
