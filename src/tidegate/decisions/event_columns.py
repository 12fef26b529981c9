"""The columns that events and their past fill: fields, functions of text, list checks and windows."""

from typing import Any

from tidegate.decisions.definition import Definition
from tidegate.decisions.drl.node import DrlOutput
from tidegate.decisions.plan import FieldPlan, ListPlan, TextPlan
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.tables.node import TableOutput
from tidegate.errors import FlowError
from tidegate.events.durations import written
from tidegate.events.event import Event
from tidegate.events.types import Kind
from tidegate.expressions.feel.held import Held
from tidegate.expressions.node import Call, Expr, FieldRead, Literal
from tidegate.expressions.program import Columns, Compiler
from tidegate.features.aggregates import probe_of
from tidegate.features.entity_list import ListCheck
from tidegate.features.plan import WindowPlan
from tidegate.features.window import Window
from tidegate.models.score import ModelScore

TEXT_FUNCTIONS = ("lower", "upper", "length", "starts_with", "ends_with", "contains")
"""What is computed where the text is still there."""


class EventColumns:
    """Gives every field, function of text, list check and window of a flow its column.

    Args:
        definition: of the flow.
        columns: where the columns are from.

    Attributes:
        fields, texts: by the number of the event's type, what is read of it.
        lists, windows: what is asked of the past.
        before, guards: the programs that run before the windows, and right after them.
        worded: the columns of texts whose wording is kept.
    """

    def __init__(self, definition: Definition, columns: Columns) -> None:
        self.flow, self.columns = definition, columns
        self.at = self.columns.new()
        self.fields: list[dict[str, FieldPlan]] = [{} for _ in definition.kinds]
        self.texts: list[list[TextPlan]] = [[] for _ in definition.kinds]
        self.lists: list[ListPlan] = []
        self.windows: dict[tuple[int, int], list[WindowPlan]] = {}
        self.before = Compiler(self.columns, self.leaf)
        self.guards = Compiler(self.columns, self.leaf)
        self.worded: set[int] = set()

    def kind(self, event: type[Event]) -> int:
        """The number of an event type among the flow's."""
        if event in self.flow.kinds:
            return self.flow.kinds.index(event)
        raise FlowError(
            f"{self.flow.name} does not learn from {event.__name__}.", do=f"Add learns = [{event.__name__}]."
        )

    def field(self, event: type[Event], name: str) -> int:
        """The column of a field."""
        number = self.kind(event)
        if name == "at":
            return self.at
        known = self.fields[number]
        if name not in known:
            kind = self.flow.kinds[number].__contract__[name].type
            currency = kind.currency or self.flow.currency if kind.kind is Kind.MONEY else None
            known[name] = FieldPlan(name, self.columns.new(), kind, currency)
        return known[name].column

    def leaf(self, node: Expr) -> int:
        """The column of something that no program computes.

        Raises:
            FlowError: it is not of the event or its lists.
        """
        if isinstance(node, FieldRead):
            return self.field(node.event, node.name)
        if isinstance(node, Call) and node.op in TEXT_FUNCTIONS:
            return self._text(node)
        if isinstance(node, ListCheck):
            key = node.args[0]
            if not isinstance(key, FieldRead):
                raise FlowError("A list is asked about a field of the event.", seen=str(node))
            out = self.columns.new()
            self.lists.append(ListPlan(node.entity_list.name, self.before.column(key), out, key.type.whole))
            return out
        if isinstance(node, (Window, ModelScore, TableOutput, DrlOutput, Scorecard)):
            raise FlowError("A window holds fields of events only.", seen=str(node))
        if isinstance(node, Held):
            raise FlowError(
                "A window holds no FEEL text that doubles may leave open: its decimals are asked after the windows.",
                seen=str(node),
                do="Write it as an expression, which is of doubles: where=Payment.x * 0.1 > 3; or compare without "
                "computing on floats and dividing.",
            )
        raise FlowError("This cannot be computed.", seen=str(node))

    def _text(self, node: Call) -> int:
        steps: list[tuple[str, str]] = []
        inner: Expr = node
        while isinstance(inner, Call) and inner.op in TEXT_FUNCTIONS:
            constant = inner.args[1] if len(inner.args) > 1 else None
            steps.append((inner.op, constant.value if isinstance(constant, Literal) else ""))
            inner = inner.args[0]
        if not isinstance(inner, FieldRead):
            raise FlowError("Functions of text read a field of the event.", seen=str(node))
        column = self.columns.new()
        self.texts[self.kind(inner.event)].append(TextPlan(inner.name, column, tuple(reversed(steps))))
        return column

    def key(self, event: type[Event], keys: tuple[Any, ...], delay: int = -1) -> int:
        """The column of an entity key, or of a pair of them, in an event that is seen `delay` after it happened.

        Raises:
            FlowError: a key is a label, and not known by then.
        """
        names = [self._key_name(event, key) for key in keys]
        for name in names:
            known_after = event.__contract__[name].known_after
            if known_after is not None and delay < known_after:
                raise FlowError(
                    f"{event.__name__}.{name} is known only {written(known_after)} after the event: "
                    "a window kept by it would leak the future.",
                    do=f"Read it under another key, or file it with delay={written(known_after)!r} or longer.",
                )
        found = [self.field(event, name) for name in names]
        if len(found) == 1:
            return found[0]
        pair = ("pair", *found)
        if pair not in self.columns.of:
            self.columns.of[pair] = self.before.emit("pair", *found)
        return self.columns.of[pair]

    def _key_name(self, event: type[Event], key: Any) -> str:
        if isinstance(key, FieldRead):
            if issubclass(event, key.event):
                return key.name
            entity = key.type.entity
        else:
            entity = key.entity_name
        roles = [f.name for f in event.__contract__.values() if f.type.kind is Kind.KEY and f.type.entity == entity]
        if len(roles) != 1:
            raise FlowError(
                f"{event.__name__} has {'no' if not roles else 'more than one'} {entity}.",
                seen=", ".join(roles) or "no field of that entity",
                do=f"Write per={event.__name__}.{roles[0]}." if roles else "",
            )
        return roles[0]

    def window(self, node: Window) -> int:
        """The column that a window's value goes to."""
        event = node.of_event or self.flow.event
        kind = self.kind(event)
        if node.frame.with_current and kind != 0:
            raise FlowError(
                "with_current counts the event decided on.", seen=str(node), do=f"It is over {event.__name__}."
            )
        value = node.value
        column = self.before.column(value) if value is not None else -1
        probe = -1
        if node.aggregate == "has_seen":
            probe = self.before.column(probe_of(node, self.flow.event))
        if (
            value is not None
            and value.type.is_word
            and node.aggregate in ("mode", "first", "last_value", "nth_previous")
        ):
            self.worded.update(self.text_sources(value))
        key, out = self.key(self.flow.event, node.per), self.columns.new()
        made = WindowPlan(
            aggregate=node.aggregate,
            read_key=key,
            out=out,
            last=node.frame.last,
            delay=node.frame.delay,
            value=column,
            value_float=value is not None and value.type.is_float,
            bound=value.type.bound if value is not None else 2**53,
            where=self.before.column(node.where) if node.where is not None else -1,
            probe=probe,
            with_current=node.frame.with_current,
            n=node.frame.n,
        )
        learn = self.key(event, node.seen_as or node.per, node.frame.delay)
        self.windows.setdefault((kind, learn), []).append(made)
        return self._guarded(node, key, out)

    def text_sources(self, value: Expr) -> set[int]:
        """The columns of the texts that a value can be: fields, and functions of them."""
        found: set[int] = set()
        waiting = [value]
        while waiting:
            node = waiting.pop()
            if isinstance(node, FieldRead) or (isinstance(node, Call) and node.op in TEXT_FUNCTIONS):
                if node.type.is_word:
                    found.add(self.before.column(node))
            else:
                waiting += node.args
        return found

    def _guarded(self, node: Window, key: int, out: int) -> int:
        """Where the entity is missing so is what is known of it; and a total that no cell can hold is missing."""
        if node.aggregate == "total" and not node.type.is_float:
            out = self.guards.emit("add_i", out, self.columns.constant(0))
        if any(self._may_miss(part) for part in node.per):
            there = self.guards.emit("eq_i", key, key)
            out = self.guards.emit("where_f" if node.type.is_float else "where_i", there, out, out)
        return out

    def _may_miss(self, key: Any) -> bool:
        """Whether the event decided on can come without this key."""
        fields = self.flow.event.__contract__.values()
        if isinstance(key, FieldRead):
            return self.flow.event.__contract__[key.name].optional
        return any(f.optional for f in fields if f.type.kind is Kind.KEY and f.type.entity == key.entity_name)
