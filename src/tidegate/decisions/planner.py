"""From what a flow says to what a decider does."""

from dataclasses import replace
from typing import Any

from tidegate.decisions.definition import Definition
from tidegate.decisions.drl.node import DrlOutput, DrlPackage
from tidegate.decisions.drl.plan import DrlPlan
from tidegate.decisions.plan import (
    CapPlan,
    FieldPlan,
    KindPlan,
    ListPlan,
    ModelPlan,
    Plan,
    RulePlan,
    SeenPlan,
    SegmentPlan,
    TextPlan,
)
from tidegate.decisions.rule import Outcome
from tidegate.decisions.tables.node import DecisionTable, TableOutput
from tidegate.decisions.tables.plan import InputPlan, OutputPlan, TablePlan, plan_of, texts_of
from tidegate.decisions.tables.table import OUTCOME
from tidegate.errors import FlowError
from tidegate.events.durations import written
from tidegate.events.event import Event
from tidegate.events.types import Kind
from tidegate.expressions.node import Call, Expr, FieldRead, Literal, walk
from tidegate.expressions.program import Columns, Compiler
from tidegate.expressions.text import write
from tidegate.expressions.words import word
from tidegate.features.aggregates import probe_of
from tidegate.features.entity_list import ListCheck
from tidegate.features.plan import StreamPlan, WindowPlan
from tidegate.features.window import Window
from tidegate.models.score import ModelScore

_TEXT_FUNCTIONS = ("lower", "upper", "length", "starts_with", "ends_with", "contains")


def plan(definition: Definition) -> Plan:
    """The plan of a flow.

    Raises:
        FlowError: a window's key is not in its event or is there in two roles, or a list is asked about something else
            than a field.
    """
    return _Planner(definition).plan()


def _asked(node: Expr | DecisionTable | DrlPackage) -> str:
    """What stands for a model, table or package that must be asked before the node has a value; else nothing."""
    if isinstance(node, (DecisionTable, TableOutput, DrlPackage, DrlOutput)):
        return node.read
    return node.key if isinstance(node, ModelScore) else ""


class _Planner:
    def __init__(self, definition: Definition) -> None:
        self.flow = definition
        self.columns = Columns()
        self.at = self.columns.new()
        self.fields: list[dict[str, FieldPlan]] = [{} for _ in definition.kinds]
        self.texts: list[list[TextPlan]] = [[] for _ in definition.kinds]
        self.lists: list[ListPlan] = []
        self.windows: dict[tuple[int, int], list[WindowPlan]] = {}
        self.before = Compiler(self.columns, self._before_leaf)
        self.guards = Compiler(self.columns, self._before_leaf)
        self.names = {id(e): n for n, e in reversed(definition.features.items())}  # the first of two names
        for line, table in definition.tables.items():
            self.names |= {id(node): f"{line}.{node.label}" for node in table.outputs()}
        for line, package in definition.packaged.items():
            self.names |= {
                id(node): f"{line}.{name}" for name, node in zip(package.outputs, package.results(), strict=True)
            }
        self.worded: set[int] = set()
        self.read: list[str] = []

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

    def _before_leaf(self, node: Expr) -> int:
        if isinstance(node, FieldRead):
            return self.field(node.event, node.name)
        if isinstance(node, Call) and node.op in _TEXT_FUNCTIONS:
            return self._text(node)
        if isinstance(node, ListCheck):
            key = node.args[0]
            if not isinstance(key, FieldRead):
                raise FlowError("A list is asked about a field of the event.", seen=str(node))
            out = self.columns.new()
            self.lists.append(ListPlan(node.entity_list.name, self.before.column(key), out, key.type.whole))
            return out
        if isinstance(node, (Window, ModelScore, TableOutput, DrlOutput)):
            raise FlowError("A window holds fields of events only.", seen=str(node))
        raise FlowError("This cannot be computed.", seen=str(node))

    def _text(self, node: Call) -> int:
        steps: list[tuple[str, str]] = []
        inner: Expr = node
        while isinstance(inner, Call) and inner.op in _TEXT_FUNCTIONS:
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
            self.worded.update(self._text_sources(value))
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

    def _text_sources(self, value: Expr) -> set[int]:
        """The columns of the texts that a value can be: fields, and functions of them."""
        found: set[int] = set()
        waiting = [value]
        while waiting:
            node = waiting.pop()
            if isinstance(node, FieldRead) or (isinstance(node, Call) and node.op in _TEXT_FUNCTIONS):
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

    def _segments(self) -> tuple[SegmentPlan, ...]:
        """Programs in order, each followed by the models, tables and packages whose inputs it completes."""
        segments = [SegmentPlan(self.guards.program(), ())]
        waiting: list[ModelScore | DecisionTable | DrlPackage]
        waiting = [*self.flow.models, *self.flow.readings, *self.flow.packages]
        while waiting:
            open_still = {_asked(one) for one in waiting}
            ready = [
                one for one in waiting if not any(_asked(n) in open_still for part in one.args for n in walk(part))
            ]
            after = Compiler(self.columns, self._after_leaf)
            models = [node for node in ready if isinstance(node, ModelScore)]
            made = tuple(self._model(node, after) for node in models)
            tables = tuple(self._table(one, after) for one in ready if isinstance(one, DecisionTable))
            packages = tuple(self._package(one, after) for one in ready if isinstance(one, DrlPackage))
            segments.append(SegmentPlan(after.program(), made, tables, packages))
            for node, one in zip(models, made, strict=True):
                self.columns.of[node.key] = one.out
            waiting = [one for one in waiting if all(one is not r for r in ready)]
        return tuple(segments)

    def _table(self, one: DecisionTable, after: Compiler) -> TablePlan:
        """A table over the columns of its inputs; every output gets a column, whether it is read or not."""
        self.read.append(one.read)
        inputs = [after.column(part) for part in one.args]
        for node in one.outputs():
            self.columns.of[node.key] = self.columns.new()
        found = {(node.name, node.outcome): self.columns.of[node.key] for node in one.outputs()}
        outputs = [found.get((column.name, None), -1) for column in one.table.outputs]
        approve, review, decline = (found.get((OUTCOME, outcome), -1) for outcome in Outcome)
        name = next((line for line, table in self.flow.tables.items() if table.read == one.read), one.table.name)
        return plan_of(
            replace(one.table, name=name),
            inputs,
            outputs,
            self.columns.new(),
            self.columns.new(),
            (approve, review, decline),
        )

    def _package(self, one: DrlPackage, after: Compiler) -> DrlPlan:
        """A package over the columns of its inputs, whose texts are kept: it is given them and not their cells."""
        inputs = []
        for name, part in zip(one.names, one.args, strict=True):
            kind = part.type
            if kind.kind is Kind.MONEY:
                kind = replace(kind, currency=kind.currency or self.flow.currency)
            if kind.is_word:
                self.worded.update(self._text_sources(part))
            inputs.append(InputPlan(name, after.column(part), kind))
        outputs = []
        for (name, kind), node in zip(one.outputs.items(), one.results(), strict=True):
            self.columns.of[node.key] = self.columns.new()
            outputs.append(OutputPlan(name, self.columns.of[node.key], kind))
        named = next((line for line, package in self.flow.packaged.items() if package.read == one.read), one.name)
        return DrlPlan(
            named, one.digest, one.source, one.read, tuple(inputs), tuple(outputs), one.default, one.deadline
        )

    def _model(self, node: ModelScore, after: Compiler) -> ModelPlan:
        names = tuple(self.names.get(id(part), write(part)) for part in node.args)
        inputs = tuple(after.column(part) for part in node.args)
        return ModelPlan(
            node.reference, names, inputs, tuple(part.type for part in node.args), node.default, self.columns.new()
        )

    def _after_leaf(self, node: Expr) -> int:
        if isinstance(node, (FieldRead, ListCheck, Window)) or (isinstance(node, Call) and node.op in _TEXT_FUNCTIONS):
            return self._before_leaf(node)
        raise FlowError("This cannot be computed.", seen=str(node))

    def _saw(self, rule: Expr, after: Compiler) -> tuple[SeenPlan, ...]:
        """The values that a condition looked at: named features, fields, windows and scores, each once."""
        seen: dict[str, SeenPlan] = {}

        def visit(node: Expr) -> None:
            if isinstance(node, Literal):
                return
            leaf = id(node) in self.names or not isinstance(node, Call) or node.op in _TEXT_FUNCTIONS
            if leaf:
                name = self.names.get(id(node), write(node, self.names))
                seen.setdefault(name, SeenPlan(name, after.column(node), node.type))
                return
            for part in node.args:
                visit(part)

        visit(rule)
        return tuple(seen.values())

    def plan(self) -> Plan:
        """Put it together: columns first, programs over them."""
        flow = self.flow
        for node in flow.windows:
            self.columns.of[node.key] = self.window(node)
        self._lists_and_texts()
        segments = self._segments()
        after = Compiler(self.columns, self._after_leaf)
        features = tuple(SeenPlan(name, after.column(expr), expr.type) for name, expr in flow.features.items())
        rules = tuple(
            RulePlan(name, int(rule.outcome), rule.because, after.column(rule.when), self._saw(rule.when, after))
            for name, rule in flow.rules.items()
        )
        score = after.floating(flow.score) if flow.score is not None else -1
        alarm = after.column(flow.alarm) if flow.alarm is not None else -1
        level = after.floating(flow.level.of) if flow.level is not None else -1
        segments = (*segments, SegmentPlan(after.program(), ()))
        rules = tuple(
            replace(rule, table=self.read.index(said.when.read)) if isinstance(said.when, TableOutput) else rule
            for rule, said in zip(rules, flow.rules.values(), strict=True)
        )
        for name, known in flow.event.__contract__.items():
            if known.type.kind is Kind.KEY and known.known_after is None:
                self.field(flow.event, name)  # whether the flow reads it or not: a rule may be snoozed for it
        streams = tuple(StreamPlan(kind, learn, tuple(windows)) for (kind, learn), windows in self.windows.items())
        kinds = tuple(
            KindPlan(event.__name__, event.__version__, tuple(self.fields[k].values()), tuple(self.texts[k]))
            for k, event in enumerate(flow.kinds)
        )
        return Plan(
            flow=flow.name,
            digest=flow.digest,
            columns=self.columns.count,
            constants=tuple(self.columns.constants.items()),
            kinds=kinds,
            lists=tuple(self.lists),
            before=self.before.program(),
            streams=streams,
            segments=segments,
            features=features,
            rules=rules,
            score=score,
            alarm=alarm,
            level=level,
            levels=flow.level.names if flow.level else (),
            thresholds=flow.level.thresholds if flow.level else (),
            caps=tuple(CapPlan(c.count, int(c.outcome), c.last, int(c.then)) for c in flow.caps),
            lateness=flow.lateness,
            deadline=flow.deadline.within if flow.deadline else 0,
            deadline_answer=int(flow.deadline.answer) if flow.deadline else 1,
            words=tuple(sorted((word(text), text) for text in self._texts_said())),
            worded=tuple(sorted(self.worded)),
        )

    def _roots(self) -> list[Expr]:
        flow = self.flow
        roots = [*flow.features.values(), *(rule.when for rule in flow.rules.values())]
        roots += [part for table in flow.readings for part in table.args]
        roots += [part for package in flow.packages for part in package.args]
        return roots + [root for root in (flow.alarm, flow.level.of if flow.level else None) if root is not None]

    def _texts_said(self) -> set[str]:
        """The texts that the flow itself names."""
        nodes = (node for root in self._roots() for node in walk(root))
        said = {node.value for node in nodes if isinstance(node, Literal) and isinstance(node.value, str)}
        return said.union(*(texts_of(table.table) for table in self.flow.readings))

    def _lists_and_texts(self) -> None:
        """Give list checks and functions of text their columns; they are filled before any program runs."""
        for root in self._roots():
            for node in walk(root):
                early = isinstance(node, ListCheck) or (isinstance(node, Call) and node.op in _TEXT_FUNCTIONS)
                if early and not any(isinstance(part, Window) for part in node.args):
                    self.before.column(node)
