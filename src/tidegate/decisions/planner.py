"""From what a flow says to what a decider does."""

from dataclasses import replace

from tidegate.decisions.definition import Definition
from tidegate.decisions.drl.node import DrlOutput, DrlPackage
from tidegate.decisions.drl.plan import DrlPlan
from tidegate.decisions.event_columns import TEXT_FUNCTIONS, EventColumns
from tidegate.decisions.feel_texts import FeelPlan
from tidegate.decisions.model_inputs import fit_model
from tidegate.decisions.plan import (
    CapPlan,
    KindPlan,
    ModelPlan,
    Plan,
    RulePlan,
    SeenPlan,
    SegmentPlan,
)
from tidegate.decisions.rule import Outcome
from tidegate.decisions.scorecards import plan as cards
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.tables.node import DecisionTable, TableOutput
from tidegate.decisions.tables.plan import InputPlan, OutputPlan, TablePlan, plan_of, texts_of
from tidegate.decisions.tables.table import OUTCOME
from tidegate.errors import FlowError
from tidegate.events.types import Kind, Type
from tidegate.expressions.feel.certainty import Certainty
from tidegate.expressions.feel.held import Held
from tidegate.expressions.node import Call, Expr, FieldRead, Literal, walk
from tidegate.expressions.program import Columns, Compiler
from tidegate.expressions.text import write
from tidegate.expressions.words import word
from tidegate.features.entity_list import ListCheck
from tidegate.features.plan import StreamPlan
from tidegate.features.window import Window
from tidegate.models.score import ModelScore


def plan(definition: Definition) -> Plan:
    """The plan of a flow.

    Raises:
        FlowError: a window's key is not in its event or is there in two roles, or a list is asked about something else
            than a field.
    """
    return _Planner(definition).plan()


def _asked(node: Expr | DecisionTable | DrlPackage) -> str:
    """What stands for a model, table, package or scorecard that is asked before the node has a value; else nothing."""
    if isinstance(node, (DecisionTable, TableOutput, DrlPackage, DrlOutput)):
        return node.read
    return node.key if isinstance(node, (ModelScore, Scorecard, Held)) else ""


class _Planner:
    def __init__(self, definition: Definition) -> None:
        self.flow = definition
        self.columns = Columns()
        self.events = EventColumns(definition, self.columns)
        self.names: dict[int, str] = {}
        for line, table in definition.tables.items():
            self.names |= {id(node): f"{line}.{node.label}" for node in table.outputs()}
        for line, package in definition.packaged.items():
            self.names |= {
                id(node): f"{line}.{name}" for name, node in zip(package.outputs, package.results(), strict=True)
            }
        # What the author calls an output by a line of its own is its name everywhere; of two such lines, the first.
        self.names |= {id(e): n for n, e in reversed(tuple(definition.features.items()))}
        self.read: list[str] = []

    def _segments(self) -> tuple[SegmentPlan, ...]:
        """Programs in order, each followed by the models, tables, packages and scorecards whose inputs it completes."""
        segments = [SegmentPlan(self.events.guards.program(), ())]
        waiting: list[ModelScore | DecisionTable | DrlPackage | Scorecard | Held]
        waiting = [*self.flow.models, *self.flow.readings, *self.flow.packages, *self.flow.scorecards, *self._held()]
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
            scored = tuple(self._scorecard(one, after) for one in ready if isinstance(one, Scorecard))
            held = {one.key: self._feel(one, after) for one in ready if isinstance(one, Held)}
            segments.append(SegmentPlan(after.program(), made, tables, packages, scored, tuple(held.values())))
            for node, one in zip(models, made, strict=True):
                self.columns.of[node.key] = one.out
            self.columns.of |= {key: text.output.column for key, text in held.items()}
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
        inputs = self._inputs(one.names, one.args, after)
        outputs = []
        for (name, kind), node in zip(one.outputs.items(), one.results(), strict=True):
            self.columns.of[node.key] = self.columns.new()
            outputs.append(OutputPlan(name, self.columns.of[node.key], kind))
        named = next((line for line, package in self.flow.packaged.items() if package.read == one.read), one.name)
        return DrlPlan(named, one.digest, one.source, one.read, inputs, tuple(outputs), one.default, one.deadline)

    def _inputs(self, names: tuple[str, ...], parts: tuple[Expr, ...], after: Compiler) -> tuple[InputPlan, ...]:
        """What is given to something that takes values and not cells: of texts the wording is kept."""
        inputs = []
        for name, part in zip(names, parts, strict=True):
            if part.type.is_word:
                self.events.worded.update(self.events.text_sources(part))
            inputs.append(InputPlan(name, after.column(part), self._of_currency(part.type)))
        return tuple(inputs)

    def _of_currency(self, kind: Type) -> Type:
        return replace(kind, currency=kind.currency or self.flow.currency) if kind.kind is Kind.MONEY else kind

    def _held(self) -> list[Held]:
        """The FEEL texts that are held to decimals, each once."""
        nodes = (node for root in self._roots() for node in walk(root))
        return list({node.key: node for node in nodes if isinstance(node, Held)}.values())

    def _feel(self, node: Held, after: Compiler) -> FeelPlan:
        made, given = node.args[0], node.args[1:]
        certain = Certainty(after, {id(part) for part in given}, node.rounded).column(made)
        return FeelPlan(
            node.text,
            self._inputs(node.names, given, after),
            after.column(made),
            self.columns.constant(1) if certain is None else certain,
            OutputPlan(node.text, self.columns.new(), self._of_currency(node.type)),
        )

    def _scorecard(self, node: Scorecard, after: Compiler) -> cards.ScorecardPlan:
        inputs = [after.column(part) for part in node.args]
        bins = [self.columns.new() for _ in node.args]
        self.columns.of[node.key] = points = self.columns.new()
        named = (line for line, one in self.flow.features.items() if one.key == node.key and line != "score")
        return cards.plan_of(node.card, next(named, node.card.name), inputs, bins, points)

    def _model(self, node: ModelScore, after: Compiler) -> ModelPlan:
        names = tuple(self.names.get(id(part), write(part)) for part in node.args)
        fit_model(node, names, self.flow.features, self.flow.name, self.flow.currency)
        inputs = tuple(after.column(part) for part in node.args)
        return ModelPlan(
            node.reference, names, inputs, tuple(part.type for part in node.args), node.default, self.columns.new()
        )

    def _after_leaf(self, node: Expr) -> int:
        if isinstance(node, (FieldRead, ListCheck, Window)) or (isinstance(node, Call) and node.op in TEXT_FUNCTIONS):
            return self.events.leaf(node)
        raise FlowError("This cannot be computed.", seen=str(node))

    def _saw(self, rule: Expr, after: Compiler) -> tuple[SeenPlan, ...]:
        """The values that a condition looked at: named features, fields, windows and scores, each once."""
        seen: dict[str, SeenPlan] = {}

        def visit(node: Expr) -> None:
            if isinstance(node, Literal):
                return
            leaf = id(node) in self.names or not isinstance(node, Call) or node.op in TEXT_FUNCTIONS
            if leaf:
                name = self.names.get(id(node), write(node, self.names))
                seen.setdefault(name, SeenPlan(name, after.column(node), node.type))
                return
            for part in node.args:
                visit(part)

        visit(rule)
        return tuple(seen.values())

    def _asked_models(self, *roots: Expr | None) -> tuple[int, ...]:
        """The columns of the models that expressions rest on."""
        found = (node for root in roots if root is not None for node in walk(root) if isinstance(node, ModelScore))
        return tuple(dict.fromkeys(self.columns.of[node.key] for node in found))

    def plan(self) -> Plan:
        """Put it together: columns first, programs over them."""
        flow = self.flow
        for node in flow.windows:
            self.columns.of[node.key] = self.events.window(node)
        self._lists_and_texts()
        segments = self._segments()
        after = Compiler(self.columns, self._after_leaf)
        features = tuple(SeenPlan(name, after.column(expr), expr.type) for name, expr in flow.features.items())
        rules = tuple(
            RulePlan(
                name,
                int(rule.outcome),
                rule.because,
                after.column(rule.when),
                self._saw(rule.when, after),
                models=self._asked_models(rule.when),
            )
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
                self.events.field(flow.event, name)  # whether the flow reads it or not: a rule may be snoozed for it
        streams = tuple(
            StreamPlan(kind, learn, tuple(windows)) for (kind, learn), windows in self.events.windows.items()
        )
        kinds = tuple(
            KindPlan(
                event.__name__, event.__version__, tuple(self.events.fields[k].values()), tuple(self.events.texts[k])
            )
            for k, event in enumerate(flow.kinds)
        )
        return Plan(
            flow=flow.name,
            digest=flow.digest,
            columns=self.columns.count,
            constants=tuple(self.columns.constants.items()),
            kinds=kinds,
            lists=tuple(self.events.lists),
            before=self.events.before.program(),
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
            worded=tuple(sorted(self.events.worded)),
            scoring=self._asked_models(flow.alarm, flow.level.of if flow.level else None, flow.score),
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
        said.update(one.default for one in self.flow.models if isinstance(one.default, str))
        return said.union(*(texts_of(table.table) for table in self.flow.readings))

    def _lists_and_texts(self) -> None:
        """Give list checks and functions of text their columns; they are filled before any program runs."""
        for root in self._roots():
            for node in walk(root):
                early = isinstance(node, ListCheck) or (isinstance(node, Call) and node.op in TEXT_FUNCTIONS)
                if early and not any(isinstance(part, Window) for part in node.args):
                    self.events.before.column(node)
