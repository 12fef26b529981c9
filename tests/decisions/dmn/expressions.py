"""Random FEEL of every type, with null among the operands: what is written has a type and most of it a value.

In a form `%number` stands for any text of that type, `%leaf_number` for a short one. What `differences` names is not
written here: quantifiers, sorts and turns see no null, durations and times that operators order or calculate with have
whole seconds (a `clock` and an `instant` have parts of them), places are whole, numbers are short, and what `=`
compares, or a list or context holds, is no call, which may fail.
"""

import re
from functools import cache

from hypothesis import strategies as st

_LEAVES = {
    "number": ["0", "1", "-1", "2", "3", "7", "10", "-12", "100", "2.5", "-0.75", "0.1", "33.333", "1000000", "null"],
    "place": ["1", "2", "3", "-1", "-2", "5", "0"],
    "digits": ["0", "1", "2", "-1"],
    "string": ['""', '"a"', '"foo"', '"Foo Bar"', '"a,b,,c"', '"Ünïcode 😀 x"', '"2020-02-29"', '"12"', "null"],
    "pattern": ['"o"', '"[a-z]+"', '"^F"', '"(o)(o)?"', '"b|,"', '"\\\\d+"', '"."', '"x$"'],
    "boolean": ["true", "false", "null"],
    "date": ['@"2020-02-29"', '@"2019-12-31"', '@"2000-01-01"', 'date("1969-07-20")', 'date("2021-02-29")', "null"],
    "time": ['@"10:30:00"', '@"00:00:00"', 'time("23:59:59")', "time(8, 15, 30)"],
    "moment": ['@"2020-02-29T10:30:00"', '@"2019-12-31T23:59:59"', 'date and time("2000-01-01T00:00:00")', "null"],
    "placed": ['@"2020-02-29T10:30:00Z"', '@"2020-02-29T10:30:00+02:00"', '@"2019-12-31T23:59:59-05:30"'],
    "clock": ['@"10:30:00.25"', '@"10:30:00.75"', '@"10:30:00"', '@"10:30:00.000000001"', '@"10:29:59.999999999"'],
    "instant": [
        '@"2020-02-29T10:30:00.25Z"',
        '@"2020-02-29T12:30:00.75+02:00"',
        '@"2020-02-29T10:30:00.000000001Z"',
        '@"2020-02-29T10:29:59.999Z"',
        '@"2020-02-29T05:00:00.5-05:30"',
    ],
    "clocks": ['[@"10:30:00.25"..@"10:30:00.75"]', '(@"10:30:00"..@"10:30:00.25")'],
    "months": ['@"P1Y2M"', '@"-P3M"', '@"P0M"', 'duration("P2Y")', "null"],
    "days": ['@"P1DT2H"', '@"-PT90S"', '@"PT0S"', 'duration("P400D")', "null"],
    "full": ["[1, 2, 3]", "[5, -1, 5]", "[]", "[0.5]", "[10, 20, 30, 40]"],
    "numbers": ["[1, null, 3]", "[null]"],
    "strings": ['["a", "b", "a"]', "[]", '["foo"]', '["x", null]'],
    "context": ['{a: 1, b: "x"}', "{a: null}", "{}", '{a: 2.5, "c d": [1]}'],
    "range": ["[1..5]", "(0..10)", "[2..2]", "[-3..4)"],
}
_FORMS = {
    "number": """%number + %number|%number - %number|%number * %number|%number / %number|%place ** 3|-(%number)
        if %boolean then %number else %number|abs(%number)|floor(%number)|ceiling(%number)|decimal(%number, %digits)
        round up(%number, %digits)|round down(%number, %digits)|round half up(%number, %digits)
        round half down(%number, %digits)|floor(%number, %digits)|modulo(%place, %number)|sum(%numbers)|sum(%full)
        min(%full)|max(%full)|mean(%full)|median(%full)|count(%numbers)|count(%strings)|product(%full)
        string length(%string)|(%date).year|(%date).month|(%date).day|(%date).weekday|(%time).hour|(%time).minute
        (%moment).hour|(%placed).year|(%months).years|(%months).months|(%days).days|(%days).hours|(%days).minutes
        day of year(%date)|week of year(%date)|(%numbers)[%place]
        (%full)[%place]|(%context).a|get value(%context, "a")
        {a: %number, b: a + 1}.b|(function(x, y) x - y)(%number, %number)|(%days) / (%days)|(%months) / (%months)
        number(%string)|count(get entries(%context))|sum(for i in %full return i * %place)|min(%number, %number)
        (%range).start|sum(for i in 1..4, j in 1..i return i * j)|count(%string)|number("1,234.5", ",", ".")""",
    "boolean": """(%number) < (%number)|(%number) >= (%number)
        (%leaf_number) = (%leaf_number)|(%leaf_number) != (%leaf_number)
        (%leaf_string) = (%leaf_string)|(%string) < (%string)
        (%date) <= (%date)|(%leaf_date) = (%leaf_date)|(%time) < (%time)
        (%moment) > (%moment)|(%leaf_placed) = (%leaf_placed)
        (%placed) < (%placed)|(%months) < (%months)|(%leaf_days) = (%leaf_days)
        not(%boolean)|(%boolean) and (%boolean)|(%boolean) or (%boolean)|(%number) between -2 and 7
        (%place) in (1, 3, 5)|(%place) in [1..3]|(%place) in (< 2, > 4)|(%place) in (%range)
        (%place) in > "a"|(%string) in <= %place|[1..3] in [0..%place]|(%place) in [@"P1D"..@"P2D"]
        (%string) in ("a", "foo")
        (%string) in [%leaf_string]|contains(%string, %string)|starts with(%string, %string)|ends with(%string, %string)
        matches(%string, %pattern)|matches(%string, %pattern, "i")|list contains(%numbers, %number)
        list contains(%strings, %string)|some i in %full satisfies i > %place|every i in %full satisfies i > %place
        (%number) instance of number|(%string) instance of string
        (%date) instance of date|(%full) instance of list<number>
        (%context) instance of context|(%days) instance of days and time duration|(%leaf_context) = (%leaf_context)
        (%leaf_numbers) = (%leaf_numbers)|(%leaf_full) = (%leaf_full)
        all([%leaf_boolean, %leaf_boolean])|any([%leaf_boolean, %leaf_boolean])
        before(%place, %place)|after(%place, %range)|includes(%range, %place)|overlaps(%range, %range)
        before(%clock, %clock)|after(%instant, %instant)|coincides(%clock, %clock)|(%clock) = (%clock)
        (%instant) != (%instant)|coincides(%instant, %instant)|during(%clock, %clocks)|includes(%clocks, %clock)
        before(%clocks, %clock)|meets(%clocks, %clocks)|overlaps(%clocks, %clocks)|starts(%clock, %clocks)
        overlaps before(%clocks, %clocks)|finishes(%clock, %clocks)|finished by(%clocks, %clocks)
        ((%clock) - (%clock)) < @"PT0S"|((%instant) - (%instant)) >= @"PT0S"|after(%clocks, %clocks)
        during(%place, %range)|meets(%range, %range)|starts(%place, %range)|finishes(%place, %range)
        coincides(%range, %range)|is(%number, %number)
        is(%string, %string)|(%leaf_number) = null|(%leaf_string) != null
        even(%place)|odd(%place)
        (%leaf_range) = (%leaf_range)|(%leaf_number) = (%leaf_string)|(%leaf_boolean) = (%leaf_boolean)""",
    "string": """(%string) + (%string)|substring(%string, %place)|substring(%string, %place, 2)|upper case(%string)
        lower case(%string)|substring before(%string, %string)|substring after(%string, %string)
        replace(%string, %pattern, "[$0]")|replace(%string, %pattern, "$1-")
        string(%place)|string(%date)|string(%time)
        string(%moment)|string(%months)|string(%days)|string join(%strings, ",")|string join(%strings)
        day of week(%date)|month of year(%date)|if %boolean then %string else %string|(%strings)[%place]
        (%context).b|string(%boolean)|string(%string)
        string(%clock)|string(%instant)|string((%clocks).start)""",
    "date": """date(%place, 2, 28)|date(2020, %place, 29)|(%date) + (%months)|(%date) - (%months)|(%date) + (%days)
        (%date) - (%days)|date(%moment)|date(%placed)|date(%leaf_string)|if %boolean then %date else %date
        max(%date, %date)""",
    "time": "(%time) + (%days)|(%time) - (%days)|time(%place, 30, 0)",
    "moment": """date and time(%date, %time)|(%moment) + (%days)|(%moment) - (%days)|(%moment) + (%months)
        (%moment) - (%months)|date and time(%leaf_string)""",
    "placed": "(%placed) + (%days)|(%placed) - (%months)",
    "clock": "max(%clock, %clock)|min([%clock, %clock, %clock])|sort([%clock, %clock, %clock])[1]",
    "instant": "min(%instant, %instant)|max([%instant, %instant])|sort([%instant, %instant, %instant])[3]",
    "clocks": "[%clock..%clock]|(%clock..%clock]",
    "months": """(%months) + (%months)|(%months) - (%months)|(%months) * (%place)|-(%months)|abs(%months)
        years and months duration(%date, %date)|duration(%leaf_string)|years and months duration(%moment, %date)""",
    "days": """(%days) + (%days)|(%days) - (%days)|(%place) * (%days)|-(%days)|abs(%days)|(%date) - (%date)
        (%moment) - (%moment)|(%placed) - (%placed)|(%time) - (%time)""",
    "full": """for i in %full return i + %place|(%full)[item > %place]|reverse(%full)|sublist([1, 2, 3], 2)
        concatenate(%full, %full)|flatten([%full, [%full]])|for i in %place..%place return i|index of(%full, 5)
        sort(%full, function(a, b) a < b)|distinct values([1, %place, %place])|union([1, 2], [%place])
        list replace(%full, function(item, new) item > 1, 9)|mode(%full)|for i in %leaf_range return i""",
    "numbers": """[%leaf_number, %leaf_number]|append(%numbers, %leaf_number)
        (%numbers)[item > %place]|remove(%numbers, %place)
        insert before(%numbers, %place, %leaf_number)|sublist(%numbers, %place)|sublist(%numbers, %place, 1)
        list replace(%numbers, %place, %leaf_number)|(%numbers)[item = null]|(%numbers)[item != %place]|%full
        index of(%numbers, null)|[%leaf_context, %leaf_context].a""",
    "strings": """[%leaf_string, %leaf_string]|split(%string, ",")|split(%string, %pattern)
        append(%strings, %leaf_string)
        distinct values(%strings)|(%strings)[item != "a"]|for s in %strings return s + "!"|reverse(%strings)""",
    "context": """{a: %leaf_number, b: %leaf_string}
        context put(%context, "a", %leaf_number)|context merge([%leaf_context, %leaf_context])
        context([{key: "k", value: %leaf_number}])|context put(%context, ["a", "z"], %number)
        [{a: 2}, {a: 1, b: %leaf_string}][a = 1][-1]""",
    "range": "[%place..%place]|(%place..%place]|range(\"[1..3]\")",
}  # fmt: skip


@cache
def written(kind: str, depth: int) -> st.SearchStrategy[str]:
    """Texts of a type, with so many levels of forms at most."""
    if kind.startswith("leaf_"):
        return written(kind.removeprefix("leaf_"), 0)
    leaves = st.sampled_from(_LEAVES[kind])
    forms = [one.strip() for line in _FORMS.get(kind, "").splitlines() for one in line.split("|") if one.strip()]
    if depth == 0 or not forms:
        return leaves
    return st.one_of(leaves, st.sampled_from(forms).flatmap(lambda form: _filled(form, depth - 1)))


def _filled(form: str, depth: int) -> st.SearchStrategy[str]:
    parts = re.split(r"%(\w+)", form)
    drawn = [written(part, depth) if place % 2 else st.just(part) for place, part in enumerate(parts)]
    return st.tuples(*drawn).map("".join)


ANY_KIND = st.sampled_from(sorted(_FORMS))
"""The types that are written."""
EXPRESSIONS = st.tuples(ANY_KIND, st.integers(1, 3)).flatmap(lambda one: written(*one))
"""Texts of any type."""
