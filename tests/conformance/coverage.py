"""What a case is about, as a set of words: a tally of them says whether the generator reaches everything."""

from collections.abc import Iterator
from typing import Any

from tests.conformance.events import FIELDS
from tests.conformance.generator import Case
from tests.conformance.literals import LITERALS
from tests.conformance.windows import VALUES
from tests.oracle import OracleDecision
from tests.oracle.forest import Node, Split
from tests.oracle.oracle import Explained
from tidegate.decisions.lists import ListChange
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.snooze import Snooze
from tidegate.decisions.tables.node import TableOutput
from tidegate.decisions.tables.policy import Policy
from tidegate.events.event import Event
from tidegate.expressions.node import Call, Expr, FieldRead, walk
from tidegate.expressions.operators import RULES
from tidegate.features.window import Window
from tidegate.runtimes.intake import Learned, Refused

WINDOWS = {
    *VALUES,
    *(f"{aggregate} {how}" for aggregate in VALUES for how in ("where", "delay", "with_current", "of another type")),
}
FEATURES = {
    *("challenger", "inherited event", "field of a parent", "three other types", "pair of keys", "another role"),
    *("list", "list of whole numbers", "list in a window", "current="),
    *("model", "model of a model", "model that is not there", "category", "missing as zero"),
    *("missing as missing", "average", "logistic", "exponential"),
    *("scorecard", "scorecard of a scorecard", "table of a table", "challenger of tables"),
    *(policy.words for policy in Policy),
    *("cap", "deadline", "level", "alarm", "lateness"),
}
# Texts in FEEL are held to FEEL's own exact evaluator: see tests/expressions/feel.
LANGUAGE = {*(RULES.keys() - {"feel"}), *(kind.value for kind in LITERALS), *FIELDS}
STREAMS = {
    *(
        "tie",
        "late",
        "too late",
        "repeated",
        "reused",
        "undecided",
        "overdue",
        "learned only",
        "other type",
        "expiry",
        "taken off",
    ),
    *("snooze", "snooze that ends at once", "silent", "reasons", "more reasons than four", "a light reason"),
    *("table", "rows", "no row", "no answer", "table that decides"),
    *("approve", "review", "decline", "limited", "unknown", "several rules", "missing feature"),
}


def about(case: Case, right: list[tuple[Any, bool]]) -> set[str]:
    """Everything that a case and its right answers are about."""
    return {*_of_flow(case), *_of_models(case), *_of_stream(case), *_of_answers(case, right)}


def _of_flow(case: Case) -> Iterator[str]:
    flow = case.flow.definition
    roots = [*flow.features.values(), *(rule.when for rule in flow.rules.values())]
    for node in (node for root in roots for node in walk(root)):
        yield node.type.kind.value
        if isinstance(node, Call):
            yield node.op
        elif isinstance(node, Window):
            yield from _of_window(node, flow.event)
        elif isinstance(node, FieldRead):
            yield node.name
        elif isinstance(node, Scorecard):
            yield "scorecard"
            inner = (part for given in node.args for part in walk(given))
            yield from ("scorecard of a scorecard",) if any(isinstance(part, Scorecard) for part in inner) else ()
    for table in flow.readings:
        yield table.table.policy.words
        yield from ("challenger of tables",) if case.flow is not case.spelled else ()
        inner = (part for given in table.args for part in walk(given))
        yield from ("table of a table",) if any(isinstance(part, TableOutput) for part in inner) else ()
    yield from ("challenger",) if case.flow is not case.spelled else ()
    yield from ("inherited event",) if flow.event.__base__ is not Event else ()
    yield from (
        ("field of a parent",) if any(_reads_a_parent(line, flow.event) for line in vars(case.flow).values()) else ()
    )
    yield from ("three other types",) if len(flow.learned) == 3 else ()
    yield from ("list",) if flow.lists else ()
    yield from ("list of whole numbers",) if any(known.entity.key_type is int for known in flow.lists) else ()
    yield from ("cap",) if flow.caps else ()
    yield from ("deadline",) if flow.deadline else ()
    yield from ("level",) if flow.level else ()
    yield from ("alarm",) if flow.alarm is not None else ()
    yield from ("lateness",) if flow.lateness < 10**9 else ()


def _reads_a_parent(line: Any, event: type) -> bool:
    """Whether a line, as it was written, names the type that the event derives from."""
    root = getattr(line, "when", line)
    parents = event.__mro__[1:]
    return isinstance(root, Expr) and any(isinstance(n, FieldRead) and n.event in parents for n in walk(root))


def _of_window(node: Window, event: type) -> Iterator[str]:
    name = node.aggregate
    yield name
    yield from (f"{name} where",) if node.where is not None else ()
    yield from (f"{name} delay",) if node.frame.delay else ()
    yield from (f"{name} with_current",) if node.frame.with_current else ()
    yield from (f"{name} of another type",) if node.of_event not in (None, event) else ()
    yield from ("pair of keys",) if len(node.per) == 2 else ()
    yield from ("another role",) if node.seen_as and "payee" in str(node.seen_as[0]) else ()
    yield from ("current=",) if node.probe is not None else ()
    yield from ("list in a window",) if "entity_list(" in str(node) else ()


def _of_models(case: Case) -> Iterator[str]:
    asked = case.flow.definition.models
    yield from ("model",) if case.models else ()
    yield from ("model that is not there",) if any(node.reference not in case.models for node in asked) else ()
    inner = (part for node in asked for given in node.args for part in walk(given))
    yield from ("model of a model",) if any(type(part) is type(asked[0]) for part in inner) else ()
    for model in case.models.values():
        yield model.forest.link
        yield from ("average",) if model.forest.average else ()
        for tree in model.forest.trees:
            yield from _of_tree(tree)


def _of_tree(tree: Node) -> Iterator[str]:
    if isinstance(tree, Split):
        yield "category" if tree.codes is not None else ("", "missing as zero", "missing as missing")[tree.missing]
        yield from _of_tree(tree.left)
        yield from _of_tree(tree.right)


def _of_stream(case: Case) -> Iterator[str]:
    times = [step.event.at for step in case.steps]
    yield from ("tie",) if len(set(times)) < len(times) else ()
    for step in case.steps:
        yield from ("overdue",) if step.overdue else ()
        yield from ("learned only",) if step.learn else ()
        if isinstance(step.event, ListChange):
            yield from ("expiry",) if step.event.until else ()
            yield from ("taken off",) if not step.event.listed else ()
        elif isinstance(step.event, Snooze):
            yield "snooze that ends at once" if step.event.until == step.event.at else "snooze"
        elif type(step.event) is not case.flow.definition.event:
            yield "other type"


def _of_answers(case: Case, right: list[tuple[Any, bool]]) -> Iterator[str]:
    clock, ids = case.steps[0].event.at if case.steps else None, set[str]()
    events: list[Any] = []
    for step, (one, repeated) in zip(case.steps, right, strict=True):
        if clock is not None and step.event.at < clock:
            yield "too late" if one is Refused and step.event.id not in ids else "late"
        if one is Refused and step.event.id in ids:
            yield "reused" if step.event not in events else "undecided"
        yield from ("repeated",) if repeated else ()
        if one is Refused:
            continue
        ids.add(step.event.id)
        events.append(step.event)
        clock = max(clock or step.event.at, step.event.at)
        if one is Learned or not isinstance(one, OracleDecision):
            continue
        yield one.outcome.word
        yield from ("limited",) if one.limited and not step.overdue else ()
        yield from ("unknown",) if one.unknown else ()
        yield from ("silent",) if one.silent else ()
        for explained in one.explained.values():
            yield from _of_reasons(explained)
        yield from _of_tables(one)
        yield from ("several rules",) if len(one.fired) > 1 else ()
        yield from ("missing feature",) if None in one.features.values() else ()


def _of_reasons(explained: Explained) -> Iterator[str]:
    parts = sorted((abs(part) for part in explained.contributions if part), reverse=True)
    yield from ("reasons",) if len(parts) > 1 else ()
    yield from ("more reasons than four",) if len(parts) > 4 else ()
    yield from ("a light reason",) if parts and parts[-1] * 50 < sum(parts) else ()


def _of_tables(one: OracleDecision) -> Iterator[str]:
    for table in one.tables:
        yield "table"
        yield from ("rows",) if len(table.rows) > 1 else ()
        yield from ("no row",) if not table.rows else ()
        yield from ("no answer",) if table.outcomes is None else ()
        yield from ("table that decides",) if table.outcomes else ()
