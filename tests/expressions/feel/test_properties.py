"""FEEL against what is plainly right: its own writing, `decimal`, `datetime`, Python's strings and its `re`."""

import re
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.expressions.feel.written import write
from tidegate.expressions.feel import nodes, types
from tidegate.expressions.feel.durations import DaysTime
from tidegate.expressions.feel.expression import parse
from tidegate.expressions.feel.literals import literal_of, text_of
from tidegate.expressions.feel.temporal import Date, DateTime, Time, parse_date, parse_date_time

NAMES = ("a", "b c", "d-e", "f.g", "in stock", "x'y", "if any")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # what a clock shows; the zone is put to it
WIDE = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144)

_constants = st.one_of(
    st.decimals(0, 10**9, places=3).map(nodes.Constant),
    st.sampled_from([True, False, None]).map(nodes.Constant),
    st.text(max_size=6).map(nodes.Constant),
    st.sampled_from(["2026-11-28", "10:30:00@Europe/Paris", "P1Y", "PT3S"]).map(lambda t: parse(f'@"{t}"').root),
)


def _grown(part: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parts = st.lists(part, min_size=1, max_size=3).map(tuple)
    two = st.lists(part, min_size=2, max_size=3).map(tuple)
    loops = st.lists(
        st.builds(nodes.Iteration, st.sampled_from("uvw"), part, st.none() | part),
        min_size=1, max_size=2, unique_by=lambda each: each.name,
    ).map(tuple)  # fmt: skip
    signs = st.sampled_from([("+", "-"), ("*", "/"), ("**",)])
    return st.one_of(
        signs.flatmap(
            lambda level: st.builds(
                nodes.Arithmetic,
                part,
                st.lists(st.tuples(st.sampled_from(level), part), min_size=1, max_size=3).map(tuple),
            )
        ),
        st.builds(nodes.Negation, part),
        st.builds(nodes.Logic, st.sampled_from(["and", "or"]), two),
        st.builds(nodes.Comparison, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), part, part),
        st.builds(nodes.Between, part, part, part),
        st.builds(nodes.In, part, parts),
        st.builds(nodes.InstanceOf, part, st.just(types.ListType(types.NUMBER)), st.just("list<number>")),
        st.builds(nodes.Interval, part, part, st.booleans(), st.booleans()),
        st.builds(nodes.UnaryRange, st.sampled_from(["<", ">=", "=", "!="]), part),
        st.builds(nodes.ListOf, st.just(()) | parts),
        st.dictionaries(st.sampled_from(["k", "l m", "n-o", "{"]), part, max_size=2).map(
            lambda entries: nodes.ContextOf(tuple(entries.items()))
        ),
        st.builds(nodes.Path, part, st.sampled_from(["year", "time offset", "first name"])),
        st.builds(nodes.Filter, part, part),
        st.builds(nodes.Invocation, part, st.just(()) | parts),
        st.builds(nodes.Invocation, part, st.tuples(part, part), st.just(("start position", "n"))),
        st.builds(nodes.If, st.lists(st.tuples(part, part), min_size=1, max_size=2).map(tuple), part),
        st.builds(nodes.For, loops, part),
        st.builds(nodes.Quantified, st.sampled_from(["some", "every"]), loops, part),
        st.builds(nodes.FunctionOf, st.just((nodes.FormalParameter("p"),)), part),
    )


TREES = st.recursive(_constants | st.sampled_from(NAMES).map(nodes.Name), _grown, max_leaves=12)


@given(TREES)
def test_what_is_written_is_read_as_it_was(tree: nodes.Node) -> None:
    text = write(tree)
    assert parse(text, dict.fromkeys(NAMES)).root == tree, text


numbers = st.decimals(-(10**12), 10**12, allow_nan=False, places=6) | st.decimals(-1, 1, allow_nan=False, places=30)


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "**"])
@given(numbers, numbers)
def test_numbers_count_as_decimal_of_34_digits(operator: str, one: Decimal, other: Decimal) -> None:
    assume(operator != "**" or abs(other) < 40)
    found = parse(f"a {operator} b", dict.fromkeys("ab")).evaluate({"a": one, "b": other})
    method = {"+": WIDE.add, "-": WIDE.subtract, "*": WIDE.multiply, "/": WIDE.divide, "**": WIDE.power}[operator]
    try:
        right = method(one, other) if operator != "**" or other != 0 else Decimal(1)
    except DecimalException:
        right = Decimal("NaN")
    assert found == right if right.is_finite() else found is None


@given(st.dates(), st.integers(-(10**6), 10**6), st.integers(-3000, 3000))
def test_dates_are_those_of_datetime(day: date, days: int, months: int) -> None:
    one = parse_date(day.isoformat())
    assert one is not None
    assert (one.weekday, str(one)) == (day.isoweekday(), day.isoformat())
    scope = {"d": one}
    week, of_year = (parse(f"{name} of year(d)", {"d": None}).evaluate(scope) for name in ("week", "day"))
    assert (week, of_year) == (day.isocalendar().week, day.timetuple().tm_yday)
    sign = "-" if days < 0 else ""
    later = parse(f'd + @"{sign}P{abs(days)}D"', {"d": None}).evaluate(scope)
    try:
        assert str(later) == (day + timedelta(days=days)).isoformat()
    except OverflowError:
        assert isinstance(later, Date)
    moved = parse(f'd + @"{"-" if months < 0 else ""}P{abs(months)}M"', {"d": None}).evaluate(scope)
    assert (moved.year * 12 + moved.month) - (one.year * 12 + one.month) == months
    assert moved.day == one.day or (moved.day < one.day and parse_date(f"{moved}"[:-2] + f"{moved.day + 1:02}") is None)


@given(
    st.integers(-(10**9) // 2, 4 * 10**9).map(lambda n: _EPOCH + timedelta(seconds=n)),
    st.integers(-(10**9) // 2, 4 * 10**9).map(lambda n: _EPOCH + timedelta(seconds=n)),
    st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_times_in_zones_are_those_of_zoneinfo(one: datetime, other: datetime, zone: str) -> None:
    a, b = (each.replace(tzinfo=ZoneInfo(zone)) for each in (one, other))
    left, right = (parse_date_time(each.replace(tzinfo=None).isoformat() + f"@{zone}") for each in (a, b))
    assert left is not None and right is not None
    assert left.offset == a.utcoffset().total_seconds()  # type: ignore[union-attr]
    apart = parse("a - b", dict.fromkeys("ab")).evaluate({"a": left, "b": right})
    assert apart.nanoseconds == int(a.timestamp() - b.timestamp()) * 10**9
    # An hour that came twice is the first, one that never came is moved behind: neither leads back to what was written.
    if all((t.astimezone(ZoneInfo("UTC")).astimezone(t.tzinfo).replace(fold=0) == t) and not _twice(t) for t in (a, b)):
        assert parse("b + (a - b)", dict.fromkeys("ab")).evaluate({"a": left, "b": right}) == left


_moments = st.builds(
    lambda base, micros, hours: (_EPOCH + timedelta(seconds=base, microseconds=micros)).replace(
        tzinfo=timezone(timedelta(hours=hours))
    ),
    st.integers(7200, 7202), st.integers(0, 3).map(lambda n: n * 300_000), st.sampled_from([0, 0, 1, -1]),
)  # fmt: skip


@given(_moments, _moments, _moments, st.booleans())
def test_order_counts_parts_of_seconds_and_equality_does_not(
    a: datetime, b: datetime, c: datetime, dated: bool
) -> None:
    """Against `datetime` and `datetime.time`, which order to the microsecond."""
    texts = [each.isoformat() if dated else each.isoformat().partition("T")[2] for each in (a, b, c)]
    scope = {name: parse(f'@"{text}"').evaluate({}) for name, text in zip("abc", texts, strict=True)}

    def says(text: str) -> Any:
        return parse(text, dict.fromkeys("abc")).evaluate(scope)

    same = a.replace(microsecond=0) == b.replace(microsecond=0)
    held = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "=": same, "!=": not same}
    for sign, right in held.items():
        assert says(f"a {sign} b") is right, (sign, texts)
    assert says("a between b and c") is (b <= a <= c) and says("a in [b..c]") is (b <= a <= c if b <= c else None)
    assert says("sort([a, b, c])[1] - min(a, b, c)") == says("max(a, b, c) - sort([a, b, c])[3]") == DaysTime(0)
    assert says("before(a, b)") is (a < b) and says("coincides(a, b)") is (a == b)
    assert says("during(a, [b..c])") is (b <= a <= c if b <= c else None)


def _twice(at: datetime) -> bool:
    return at.replace(fold=1).utcoffset() != at.replace(fold=0).utcoffset()


@given(st.integers(-999_999_999, 999_999_999), st.integers(1, 12), st.integers(1, 28))
def test_dates_reach_far_and_come_back(year: int, month: int, day: int) -> None:
    one = Date(year, month, day)
    assert parse_date(str(one)) == one
    again = parse('d + @"P10D" - @"P10D"', {"d": None}).evaluate({"d": one})
    assert again == one or abs(year) == 999_999_999
    assert DateTime(one, Time(0, 0, 0)).local == one.days * 86_400 * 10**9


plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(plain, plain, st.integers(-14, 14), st.integers(1, 14))
def test_strings_are_counted_by_code_point(text: str, match: str, start: int, length: int) -> None:
    scope = {"s": text, "m": match, "i": Decimal(start), "n": Decimal(length)}

    def of(said: str) -> Any:
        return parse(said, dict.fromkeys("smin")).evaluate(scope)

    assert of("string length(s)") == len(text)
    assert of("contains(s, m)") is (match in text)
    assert of("starts with(s + m, s) and ends with(s + m, m)") is True
    begin = start - 1 if start > 0 else len(text) + start
    right = text[begin : begin + length] if start and 0 <= begin < len(text) else None
    assert of("substring(s, i, n)") == right
    assert of("substring before(s, m) + m + substring after(s, m)") == (text if match in text else match)


@given(st.recursive(
    st.none() | st.booleans() | numbers | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3), max_leaves=8,
))  # fmt: skip
def test_values_are_written_as_literals_that_give_them_back(value: Any) -> None:
    assert parse(literal_of(value)).evaluate({}) == value
    assert isinstance(text_of(value), str)


@given(st.lists(st.integers(-5, 5).map(Decimal), max_size=12))
def test_sorting_is_pythons_and_stable(values: list[Decimal]) -> None:
    pairs = [{"k": each, "at": Decimal(at)} for at, each in enumerate(values)]
    found = parse("sort(l, function(x, y) x.k < y.k)", {"l": None}).evaluate({"l": pairs})
    assert found == sorted(pairs, key=lambda each: each["k"])


_atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "(a|ab)", "(?:b|ba)", "(b*)", r"\w", r"[a-c]", "^", "$"])
_patterns = st.lists(
    st.tuples(_atoms, st.sampled_from(["", "", "*", "+", "?", "*?", "+?", "??", "{1,2}"])), min_size=1, max_size=5
).map(lambda parts: "".join(atom + ("" if atom in "^$" else times) for atom, times in parts))


@given(_patterns, st.text("abc", max_size=10))
def test_patterns_match_as_pythons_do_where_both_mean_the_same(pattern: str, text: str) -> None:
    scope, names = {"t": text, "p": pattern}, dict.fromkeys("tp")
    right = re.search(pattern.replace("$", r"\Z"), text)
    assert parse("matches(t, p)", names).evaluate(scope) is (right is not None)
    if re.search(pattern.replace("$", r"\Z"), "") is None:
        found = parse('replace(t, p, "<$0>")', names).evaluate(scope)
        assert found == re.sub(pattern.replace("$", r"\Z"), lambda match: f"<{match[0]}>", text)
