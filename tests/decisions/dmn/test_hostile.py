"""Hostile and broken files: refused with place and reason, in bounded time and memory, without a network."""

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tidegate.decisions.dmn import read, read_dmn, to_json
from tidegate.errors import DocumentError, TidegateError
from tidegate.expressions.feel.refusals import FeelLimitError

from .written import V15, decision, dmn, function, given, literal, service, sound, table

HEAD = f'<definitions xmlns="{V15}" name="t" namespace="urn:t">'


@contextmanager
def bounded(seconds: float = 10, megabytes: int = 0) -> Iterator[None]:
    """Time of the processor stays within bounds, and memory, where that is asked; watching it is slow."""
    if megabytes:
        tracemalloc.start()
    began = time.process_time()
    try:
        yield
        assert time.process_time() - began < seconds
        assert not megabytes or tracemalloc.get_traced_memory()[1] < megabytes * 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE d SYSTEM "http://127.0.0.1:1/d.dtd">',
    ],
)
def test_entities_are_never_expanded_and_nothing_is_fetched(doctype: str) -> None:
    with bounded(1, 5), pytest.raises(DocumentError, match="declares a document type"):
        read_dmn(f"{doctype}{HEAD}<description>&c;&f;</description></definitions>".encode(), "t.dmn")


def test_expressions_nested_deep_are_refused_at_their_line() -> None:
    deep = "<context><contextEntry>" * 300 + literal("1") + "</contextEntry></context>" * 300
    with bounded(), pytest.raises(DocumentError, match="nested too deep") as told:
        read_dmn(dmn("\n" * 7, decision("D", deep)), "t.dmn")
    assert told.value.line > 7


def test_components_nested_deep_are_refused_at_their_line() -> None:
    deep = '<itemComponent name="a">' * 300 + "<typeRef>number</typeRef>" + "</itemComponent>" * 300
    with bounded(), pytest.raises(DocumentError, match="nested too deep"):
        read_dmn(dmn(f'<itemDefinition name="t">{deep}</itemDefinition>'), "t.dmn")


def test_long_chains_of_types_are_refused() -> None:
    chain = [f'<itemDefinition name="t{n}"><typeRef>t{n + 1}</typeRef></itemDefinition>' for n in range(2000)]
    with bounded(), pytest.raises(DocumentError, match="types that are nested too deep"):
        read_dmn(dmn(*chain), "t.dmn")


def test_feel_nested_deep_is_found_and_null() -> None:
    for text in (
        "(" * 5000 + "1" + ")" * 5000,
        "[" * 5000,
        "-" * 5000 + "1",
        "if true then " * 3000,
        "1" + "+1" * 20000,
    ):
        with bounded():
            model = read_dmn(dmn(decision("D", literal(text))), "t.dmn")
            with suppress(FeelLimitError):
                model.evaluate("D", {})


def test_tables_of_too_many_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "CELLS", 1000)
    with bounded(), pytest.raises(DocumentError, match="too many table cells") as told:
        read_dmn(dmn(decision("D", table(["1"], [""], [["-", "1"]] * 501))), "t.dmn")
    assert told.value.line > 500


def test_tables_of_ten_million_cells_are_refused() -> None:
    row = b"<rule><inputEntry/><inputEntry/><inputEntry/><outputEntry/></rule>"
    data = f"{HEAD}<decision name='D'><decisionTable>".encode() + row * 2_500_000
    with bounded(60), pytest.raises(DocumentError, match="is too large"):
        read_dmn(data + b"</decisionTable></decision></definitions>", "t.dmn")


@pytest.mark.parametrize(
    "body",
    [
        [function("f", "n", literal("f(n + 1)")), decision("D", literal("f(0)"), knows=("f",))],
        [
            function("f", "n", literal("g(n)"), knows=("g",)),
            function("g", "n", literal("f(n)"), knows=("f",)),
            decision("D", literal("f(0)"), knows=("f",)),
        ],
        [
            decision("I", literal("S()"), knows=("S",)),
            service("S", ["I"]),
            decision("D", literal("S()"), knows=("S",)),
        ],
        [decision("D", literal("{f: function(n) f(n + 1), r: f(0)}.r"))],
        [
            function(
                "f",
                "n",
                f"<invocation>{literal('f')}<binding><parameter name='n'/>{literal('n')}</binding></invocation>",
            ),
            decision("D", literal("f(0)"), knows=("f",)),
        ],
    ],
    ids=["itself", "each other", "service", "context", "invocation"],
)
def test_recursion_without_an_end_is_refused_with_its_place(body: list[str]) -> None:
    model = read_dmn(dmn(*body), "t.dmn")
    with bounded(), pytest.raises(FeelLimitError) as told:
        model.evaluate("D", {})
    assert told.value.seen


SHARED = "{f: function(s, n) if n = 0 then s else f([s, s], n - 1), a: f([1], 30)}.a"


def test_a_value_whose_lists_are_shared_is_refused_with_its_place_and_not_written_as_a_tree() -> None:
    model = read_dmn(
        dmn(
            decision("D", literal(SHARED)),
            decision("Count", literal(f"count({SHARED})")),
            decision("Text", literal('{f: function(s, n) if n = 0 then s else f([s, s], n - 1), a: f(["x"], 30)}.a')),
            decision("Deep", literal("{f: function(s, n) if n = 0 then s else f([s], n - 1), a: f([1], 400)}.a")),
            function("b", "n", literal(SHARED)),
            service("S", ["D"]),
        ),
        "test.dmn",
    )
    with bounded():
        for ask in (
            lambda: model.evaluate("D", {}),
            lambda: model.service("S", {}),
            lambda: model.evaluate("Text", {}),
        ):
            with pytest.raises(FeelLimitError, match="too large to be written out") as told:
                ask()
            assert 'decision "' in told.value.seen and "(test.dmn:" in told.value.seen
            assert "3,221,225,471 elements" in told.value.seen
        with pytest.raises(FeelLimitError, match="nested 401 deep"):
            model.evaluate("Deep", {})
        with pytest.raises(FeelLimitError, match=r'"b" \(test.dmn:'):
            model.call("b", {"n": 1})
        assert model.evaluate("Count", {}).plain == 2, "it may be worked with"


def test_shared_lists_are_bounded_where_they_are_checked_and_where_reasons_and_steps_tell_of_them() -> None:
    tree = (
        '<itemDefinition name="tree"><itemComponent name="below" isCollection="true"><typeRef>tree</typeRef>'
        "</itemComponent></itemDefinition>"
    )
    grown = "{f: function(s, n) if n = 0 then s else f({below: [s, s]}, n - 1), a: f({below: []}, 40)}.a"
    rows = table(["S"], [""], [["1", "1"]], values={"S": "1, 2"})
    context = f"<context><contextEntry><variable name='S'/>{literal(SHARED)}</contextEntry><contextEntry>"
    model = read_dmn(
        dmn(
            tree,
            function("g", "x: tree", literal("1")),
            decision("Tree", literal(f"g({grown})"), knows=("g",)),
            decision("Table", f"{context}{rows}</contextEntry></context>"),
        ),
        "test.dmn",
    )
    with bounded():
        result = model.evaluate("Table", {}, explain=True)
        assert "a list of 2 is none of its input values" in str(result.reasons[0])
        with pytest.raises(FeelLimitError, match="too large to be written out"):
            model.evaluate("Tree", {})


def test_an_input_whose_lists_are_shared_or_hold_themselves_is_refused() -> None:
    shared: list[object] = [1]
    for _ in range(40):
        shared = [shared, shared]
    ring: list[object] = []
    ring += [ring, ring]
    model = sound(dmn(given("x"), decision("D", literal("count(x)"), needs=("x",))))
    with bounded():
        assert "it is too large" in str(model.evaluate("D", {"x": shared}).reasons[0])
        assert "it holds itself" in str(model.evaluate("D", {"x": ring}).reasons[0])
        for value in (shared, ring):
            with pytest.raises(FeelLimitError):
                to_json(value)


def test_recursion_that_doubles_runs_out_of_steps() -> None:
    model = sound(
        dmn(
            function("f", "n", literal("if n = 0 then 1 else f(n - 1) + f(n - 1)")),
            decision("D", literal("f(40)"), knows=("f",)),
        )
    )
    with bounded(60), pytest.raises(FeelLimitError):
        model.evaluate("D", {})


@pytest.mark.parametrize(
    "text",
    [
        "for a in 1..100000, b in 1..100000 return a * b",
        "count(for a in 1..1000000000 return a)",
        "some a in 1..1000000000 satisfies a < 0",
        "10 ** 100000000",
        'string join(for i in 1..100000 return "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")',
    ],
)
def test_endless_work_is_refused_or_null(text: str) -> None:
    model = read_dmn(dmn(decision("D", literal(text))), "t.dmn")
    with bounded(60):
        try:
            model.evaluate("D", {})
        except FeelLimitError as error:
            assert error.do


@pytest.mark.parametrize("text", ["for i in 1..100000, j in 1..100000 return i", "count(for i in 1..9000000 return 1)"])
def test_a_runaway_decision_is_named_with_its_line_and_what_its_author_can_do(text: str) -> None:
    model = read_dmn(dmn("", decision("D", literal(text))), "t.dmn")
    with pytest.raises(FeelLimitError) as told:
        model.evaluate("D", {})
    assert told.value.seen.startswith('decision "D" (t.dmn:3)')
    assert "Budget" not in str(told.value) and "filter before you iterate" in told.value.do


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)*x", "([a-zA-Z]+)*$"])
def test_regular_expressions_that_explode_are_refused_or_end(pattern: str) -> None:
    model = read_dmn(dmn(given("x"), decision("D", literal(f'matches(x, "{pattern}")'), needs=("x",))), "t.dmn")
    with bounded(20):
        try:
            model.evaluate("D", {"x": "a" * 60 + "!"})
        except FeelLimitError as error:
            assert error.do


def test_allowed_values_that_explode_are_refused_or_end() -> None:
    kind = (
        '<itemDefinition name="t"><typeRef>string</typeRef>'
        '<allowedValues><text>matches(?, "(a+)+$")</text></allowedValues></itemDefinition>'
    )
    model = read_dmn(dmn(kind, given("x", "t"), decision("D", literal("x"), needs=("x",))), "t.dmn")
    with bounded(20):
        try:
            model.evaluate("D", {"x": "a" * 60 + "!"})
        except TidegateError as error:
            assert str(error)


def test_imports_in_diamonds_are_read_once() -> None:
    files = {}
    for level in range(40):
        for side in "ab":
            below = f'<import name="a" namespace="urn:a{level + 1}"/><import name="b" namespace="urn:b{level + 1}"/>'
            files[f"{side}{level}.dmn"] = dmn(below if level < 39 else "", namespace=f"urn:{side}{level}")
    with bounded():
        model = read_dmn(files["a0.dmn"], "a0.dmn", imports=files)
        model.evaluate  # noqa: B018 - read is what is tested
        assert not model.findings


def test_nothing_outside_of_what_is_given_is_read() -> None:
    data = dmn('<import name="x" namespace="urn:x" locationURI="file:///etc/passwd"/>')
    (found,) = read_dmn(data, "t.dmn").findings
    assert "no model of the namespace urn:x was given" in found.wrong
