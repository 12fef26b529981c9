"""Where Drools 10.2 and ours differ on purpose: by name, with an expression that shows it, what each says, and why.

The references are to DMN 1.5. Random expressions keep out of these; a test sees that each is still so, on both sides.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """An expression, what it comes to here and in Drools (both written in FEEL), and why ours is kept."""

    text: str
    ours: str
    drools: str
    why: str


DIFFERENCES = {
    "between decides early": Difference(
        "0 between 1 and null", "false", "null", "it is two comparisons with `and`, and false decides (tables 50, 53)"
    ),
    "some does not know": Difference(
        "some x in [null] satisfies x > 1", "null", "false", "`some` is an `or` of its turns (table 52)"
    ),
    "every does not know": Difference(
        "every x in [null] satisfies x > 1", "null", "true", "`every` is an `and` of its turns (table 52)"
    ),
    "a range is gone through": Difference(
        "some x in [1..3] satisfies x = 2", "true", "false", "iterators take ranges (10.3.2.14)"
    ),
    "in goes on": Difference('"x" in ([1..3], "x")', "true", "null", "`in` is an `or` of its tests; true decides"),
    "null among tests": Difference("1 in ([1, null])", "true", "false", "a list holds its elements, null or not"),
    "null beside a bound": Difference(
        "null in (< 1)", "null", "false", "null < 1 is null (table 53); what is missing is never silently false"
    ),
    "a list is a test": Difference("[1, 2] in [1, 2]", "true", "false", "a test may equal the value (7.3.3)"),
    "a range is a test": Difference("[1..3] in [1..3]", "true", "null", "as above"),
    "in does not know": Difference('1 in ("a", 2)', "null", "false", '1 = "a" is null (table 53), and so is the `or`'),
    "in does not know, negated": Difference('1 in (!= "a")', "null", "true", "as above"),
    "in does not know, of bounds": Difference('5 in ("x", > "a")', "null", "false", "as above"),
    "calls that fail": Difference("abs(null) = null", "true", "null", "it is null, and null = null (table 53)"),
    "filter of null": Difference("null[true]", "null", "[null]", "null is no list and becomes none (table 57)"),
    "places are whole": Difference("[1, 2][1.5]", "null", "1", "a place is an integer (table 57)"),
    "paths reach down": Difference(
        "[[{a: 1}], {a: 2}].a", "[[1], 2]", "[null, 2]", "a path into a list is the path into each element (table 57)"
    ),
    "equal numbers": Difference(
        "distinct values([1, 1.0])", "[1]", "[1, 1]", "1 = 1.0, whatever digits they are written with (table 53)"
    ),
    "one list of one": Difference("index of([1], [1])", "[1]", "[]", "[1] = 1 (10.3.2.13.1), and `index of` asks `=`"),
    "union of null": Difference("union([1], null)", "null", "[1, null]", "as `concatenate`: a list may not be null"),
    "nothing to append": Difference("append([1])", "null", "[1]", "`append` takes a list and an item (table 75)"),
    "booleans have no order": Difference("max(true, false)", "null", "true", "`>` is not of booleans (table 54)"),
    "contexts have no order": Difference("{} >= {}", "null", "true", "`>=` is not of contexts (table 54)"),
    "sort says what it cannot": Difference(
        "sort([1, null], function(x, y) x < y)", "null", "[null, 1]", "`precedes` gives a boolean (table 79)"
    ),
    "a singleton is taken out": Difference("not([true])", "false", "null", "an argument of one element (10.3.2.9.4)"),
    "a singleton context": Difference("get entries([{a: 1}])", '[{key: "a", value: 1}]', "null", "as above"),
    "parts of seconds": Difference('@"10:30:00.5".second', "10 * 0.05", "0", "a second has a fraction (10.3.2.3.5)"),
    "parts of seconds, times": Difference('2 * @"PT0.1S"', '@"PT0.2S"', '@"PT0S"', "as above; Drools counts seconds"),
    "parts of seconds, divided": Difference('@"PT0.1S" / @"PT0.1S"', "1", "null", "as above"),
    "parts of seconds, in order": Difference(
        '@"12:00:00.9" > @"12:00:00.1"',
        "true",
        "false",
        "a second has a fraction (10.3.2.3.5); only `=` leaves it out (table 53), as Drools does in all operators",
    ),
    "parts of seconds, at most": Difference(
        '@"2026-01-05T12:00:00.9Z" <= @"2026-01-05T12:00:00Z"', "false", "true", "as above"
    ),
    "parts of seconds, between": Difference(
        '@"12:00:00.5" between @"12:00:00.6" and @"12:00:00.7"', "false", "true", "as above"
    ),
    "parts of seconds, in a range": Difference(
        '@"2026-01-05T12:00:00.5Z" in [@"2026-01-05T12:00:00.6Z"..@"2026-01-05T12:00:01Z"]', "false", "true", "as above"
    ),
    "parts of seconds, sorted by <": Difference(
        'sort([@"12:00:00.5", @"12:00:00.2"], function(a, b) a < b)',
        '[@"12:00:00.2", @"12:00:00.5"]',
        '[@"12:00:00.5", @"12:00:00.2"]',
        "as above",
    ),
    "parts of seconds, the same": Difference(
        'is(@"12:00:00.5", @"12:00:00.2")', "false", "true", "they are two elements of the domain (10.3.4.10)"
    ),
    "parts of seconds, distinct": Difference(
        'distinct values([@"12:00:00.5", @"12:00:00.2"])',
        '[@"12:00:00.5"]',
        '[@"12:00:00.5", @"12:00:00.2"]',
        "what is equal by `=` is told once (table 75)",
    ),
    "parts of seconds, found": Difference(
        'index of([@"12:00:00.5"], @"12:00:00.2")', "[1]", "[]", "as above: it asks `=`"
    ),
    "times elsewhere": Difference(
        '@"10:00:00+01:00" = @"09:00:00Z"', "true", "false", "a time with an offset is one of UTC (10.3.2.3.5)"
    ),
    "twice on the clock": Difference(
        '@"2020-10-25T02:30:00@Europe/Paris" + @"PT1H"',
        '@"2020-10-25T02:30:00+01:00"',
        '@"2020-10-25T02:30:00@Europe/Paris"',
        "the second 02:30 of that day is told by its offset, or it is the first",
    ),
    "never on the clock": Difference(
        '@"2020-03-29T02:30:00@Europe/Paris".hour',
        "2",
        "3",
        "a date and time has the hour that is written (table 65); both say that it is the instant of 03:30",
    ),
    "null is null": Difference(
        "is(null, null)", "true", "false", "they are the same element of the domain (10.3.4.10)"
    ),
    "days and years are whole": Difference("date(2020.5, 1, 1)", "null", '@"2020-01-01"', "a year is an integer"),
    "no weeks": Difference('duration("P1W")', "null", '@"P0M"', "XML Schema part 2, 3.2.6 has none"),
    "no plus": Difference('duration("+P1D")', "null", '@"P1D"', "XML Schema part 2, 3.2.6 has no plus sign"),
    "small letters": Difference('duration("p1d")', "null", '@"P1D"', "XML Schema part 2, 3.2.6 has capital ones"),
    "a date has no zone": Difference(
        'date("2020-01-01Z")', "null", '@"2020-01-01"', "a date string has none (10.3.2.3.4)"
    ),
    "zones are named as they are": Difference(
        'time("10:30:00@europe/paris")', "null", '@"10:30:00@Europe/Paris"', "names of the IANA database have case"
    ),
    "no flags within": Difference(
        'split("aXb", "(?i)x")', "null", '["a", "b"]', "patterns are XPath's: flags stand apart"
    ),
    "numbers below zero": Difference(
        'range("[-1..1]") = [-1..1]', "true", "null", "a numeric literal may have a minus sign (rule 37)"
    ),
    "count takes a list": Difference("count(1, 2)", "null", "2", "table 75 has no form of single values for it"),
    "an hour of 24": Difference('time("24:00:00")', '@"00:00:00"', "null", "XML Schema part 2, 3.2.8 has it"),
    "times are whole": Difference('time("10:30")', "null", '@"10:30:00"', "XML Schema part 2, 3.2.8 asks for seconds"),
    "times are times": Difference('time("2020-01-01T10:30:00")', "null", '@"10:30:00"', "`from` is a time (table 72)"),
    "dates are dates": Difference('date("2020-01-01T10:30:00")', "null", '@"2020-01-01"', "`from` is a date string"),
    "one duration": Difference('duration("P1Y1D")', "null", '@"P1Y"', "it is of neither kind (10.3.2.3.7)"),
    "a sign before": Difference('duration("P-1Y")', "null", '@"-P1Y"', "XML Schema part 2, 3.2.6 has it before the P"),
    "where without a place": Difference(
        'before(@"10:30:00", @"10:30:00Z")', "false", "null", "`<` compares them, a local one at the other's offset"
    ),
    "an offset is no zone": Difference('@"2020-01-01T10:30:00Z".timezone', "null", '"UTC"', "table 65"),
    "text of a list": Difference("string([1, 2])", '"[1, 2]"', '"[ 1, 2 ]"', "as literals are written in the standard"),
    "text of a number": Difference(
        "string(10**34)",
        '"1" + "0000000000000000000000000000000000"',
        '"1." + "000000000000000000000000000000000E+34"',
        "numbers have no exponent (rule 37)",
    ),
    "numbers end": Difference("10**6145 > 0", "null", "true", "decimal128 ends at 10**6145 (10.3.2.3.1)"),
    "exact remainders": Difference("modulo(10**40, 7)", "4", "0", "dividend - divisor * floor, exactly"),
    "delimiters are something": Difference('split("ab", "")', "null", '["a", "b", ""]', "XPath's tokenize refuses it"),
    "letters of all": Difference('split("é", "\\\\w+")', '["", ""]', '["é"]', "\\w of XPath is of all alphabets"),
    "digits of 10": Difference('number("١")', "null", "1", "digits are 0 to 9 (rule 31)"),
    "nulls in a list of a type": Difference("[null] instance of list<number>", "true", "false", "Null conforms to all"),
    "a range that holds nothing": Difference(
        "for i in (1..1] return i", "[]", "[2, 1]", "no number is above 1 and at most 1; there are no turns"
    ),
    "turns that fail": Difference("for i in [1] return 1 / 0", "[null]", "null", "each turn is an element (table 52)"),
}
