"""A flow's decisions, one event after another, by the letter of the law: decide first, learn after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.oracle.forest import Forest, leaves_of
from tests.oracle.real import compared, real
from tests.oracle.scorecard import points_of
from tests.oracle.table import Said, said
from tests.oracle.terms import Scope, evaluate, microseconds
from tests.oracle.windows import Learned, key_fields, read
from tidegate.decisions.definition import Definition
from tidegate.decisions.flow import Flow
from tidegate.decisions.lists import ListChange
from tidegate.decisions.rule import Outcome
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.snooze import Snooze
from tidegate.decisions.tables.node import DecisionTable, TableOutput
from tidegate.events.event import Event
from tidegate.events.types import Type
from tidegate.expressions.node import Expr
from tidegate.features.aggregates import probe_of
from tidegate.features.entity_list import ListCheck
from tidegate.features.window import Window
from tidegate.models.score import ModelScore


class RefusedError(Exception):
    """The event is later than the flow allows, of a type it does not know, or has the id of another."""


@dataclass(frozen=True)
class OracleDecision:
    """What was decided on an event, and why."""

    id: str
    outcome: Outcome
    score: float | None
    level: str | None
    alarm: bool
    fired: tuple[str, ...]
    unknown: tuple[str, ...]
    features: dict[str, Any]
    limited: bool = False
    models: dict[str, float | None] = field(default_factory=dict)
    tables: list[Said] = field(default_factory=list)
    explained: "dict[str, Explained]" = field(default_factory=dict)
    silent: dict[str, set[str]] = field(default_factory=dict)
    """The rules that would have fired and are silent, and each way to say why."""


@dataclass(frozen=True)
class Explained:
    """A model of which a decision may give reasons: what it was given, and what each feature added."""

    given: list[Any]
    types: list[Type]
    contributions: list[Fraction]
    scale: float
    """How large what is added up may be: the largest leaf of each tree."""


@dataclass
class _Entry:
    at: int
    arrival: int
    on: bool
    until: int | None


@dataclass
class Oracle:
    """Decides as a flow does, slowly. `models` are what references stand for; one that is not there cannot answer."""

    flow: type[Flow[Any]]
    models: Mapping[str, Forest] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.definition: Definition = self.flow.definition
        self.learned: dict[int, list[Learned]] = {i: [] for i in range(len(self.definition.windows))}
        self.outcomes: list[tuple[int, Outcome]] = []
        self.lists: dict[tuple[str, str], list[_Entry]] = {}
        self.snoozes: list[Snooze] = []
        self.asked: dict[str, Said] = {}
        self.arrivals = 0
        self.clock: int | None = None

    def decide(self, event: Event, overdue: bool = False) -> OracleDecision:
        """Decide on an event, then learn from it; one that is overdue gets the answer declared for that."""
        if type(event) is not self.definition.event:
            raise RefusedError(f"The flow decides on {self.definition.event.__name__}.")
        self._accept(event)
        decision = self._decision(event, overdue)
        self._remember(event)
        return decision

    def learn(self, event: Event) -> None:
        """Learn from an event, or obey an instruction, without deciding on it."""
        if isinstance(event, ListChange) and event.listed and event.until is not None and event.until < event.at:
            raise RefusedError("An entry of a list ends after it begins.")
        self._accept(event)
        if isinstance(event, ListChange):
            until = None if event.until is None else microseconds(event.until)
            entry = _Entry(microseconds(event.at), self.arrivals, event.listed, until)
            self.lists.setdefault((event.list, event.key), []).append(entry)
            return
        if isinstance(event, Snooze):
            self.snoozes.append(event)
            return
        self._remember(event)

    def _accept(self, event: Event) -> None:
        at = microseconds(event.at)
        if self.clock is not None and at < self.clock - self.definition.lateness:
            raise RefusedError("Later than the flow allows.")
        self.clock = at if self.clock is None else max(self.clock, at)
        self.arrivals += 1

    def _scope(self, event: Event) -> Scope:
        known: dict[Any, Any] = {}

        def ask(node: Expr) -> Any:
            if node.key not in known:
                known[node.key] = self._ask(node, scope)
            return known[node.key]

        scope = Scope(event, self.definition.currency, ask)
        return scope

    def _ask(self, node: Expr, scope: Scope) -> Any:
        if isinstance(node, Window):
            return self._window(node, scope)
        if isinstance(node, ListCheck):
            return self._listed(node.entity_list.name, evaluate(node.args[0], scope), microseconds(scope.event.at))
        if isinstance(node, Scorecard):
            return points_of(node, [evaluate(part, scope) for part in node.args])
        if isinstance(node, TableOutput):
            answer = self._table(node.of, scope)
            found = answer.outputs[node.name] if node.outcome is None else answer.decides(node.outcome)
            return real(found) if node.type.is_float and found is not None else found
        assert isinstance(node, ModelScore)
        forest = self.models.get(node.reference)
        score = None if forest is None else forest.score([evaluate(part, scope) for part in node.args])
        return real(node.default) if score is None else score

    def _table(self, of: DecisionTable, scope: Scope) -> Said:
        if of.read not in self.asked:
            own = self.definition.tables.items()
            name = next((line for line, table in own if table.read == of.read), of.table.name)
            self.asked[of.read] = said(name, of.table, [evaluate(part, scope) for part in of.args])
        return self.asked[of.read]

    def _listed(self, name: str, key: Any, at: int) -> bool | None:
        if key is None:
            return None
        held = [entry for entry in self.lists.get((name, str(key)), []) if entry.at <= at]
        if not held:
            return False
        newest = max(held, key=lambda entry: (entry.at, entry.arrival))
        return newest.on and (newest.until is None or at < newest.until)

    def _entry(self, window: Window, event: Event) -> Learned | None:
        """The event as the window counts it, None if it does not."""
        if type(event) is not (window.of_event or self.definition.event):
            return None
        key = tuple(getattr(event, name) for name in key_fields(window.seen_as or window.per, type(event)))
        scope = self._scope(event)
        if None in key or (window.where is not None and evaluate(window.where, scope) is not True):
            return None
        value = None if window.value is None else evaluate(window.value, scope)
        if window.value is not None and value is None:
            return None
        return Learned(microseconds(event.at), self.arrivals, key, value)

    def _window(self, window: Window, scope: Scope) -> Any:
        number = next(i for i, other in enumerate(self.definition.windows) if other.key == window.key)
        key = tuple(getattr(scope.event, name) for name in key_fields(window.per, type(scope.event)))
        # a missing key files nothing, so nothing is found under it: its windows are empty
        learned = list(self.learned[number])
        current = self._entry(window, scope.event) if window.frame.with_current else None
        if current is not None:
            learned.append(current)
        probe = evaluate(probe_of(window, self.definition.event), scope) if window.aggregate == "has_seen" else None
        return read(window, learned, microseconds(scope.event.at), key, probe)

    def _remember(self, event: Event) -> None:
        for number, window in enumerate(self.definition.windows):
            entry = self._entry(window, event)
            if entry is not None:
                self.learned[number].append(entry)

    def _decision(self, event: Event, overdue: bool) -> OracleDecision:
        flow, scope = self.definition, self._scope(event)
        self.asked.clear()
        features = {name: evaluate(node, scope) for name, node in flow.features.items()}
        held = {name: evaluate(rule.when, scope) for name, rule in flow.rules.items()}
        silent = {name: words for name, value in held.items() if value is True and (words := self._silent(name, event))}
        fired = tuple(name for name, value in held.items() if value is True and name not in silent)
        outcome = max((flow.rules[name].outcome for name in fired), default=Outcome.APPROVE)
        final = self._limited(outcome, microseconds(event.at))
        if overdue and flow.deadline is not None:
            final = flow.deadline.answer
        self.outcomes.append((microseconds(event.at), final))
        alarm = flow.alarm is not None and evaluate(flow.alarm, scope) is True
        return OracleDecision(
            id=event.id,
            outcome=final,
            score=None if flow.score is None else real_or_none(evaluate(flow.score, scope)),
            level=self._level(scope),
            alarm=alarm,
            fired=fired,
            unknown=tuple(name for name, value in held.items() if value is None),
            features=features,
            limited=overdue or final is not outcome,
            models={node.reference: evaluate(node, scope) for node in flow.models},
            tables=[self._table(table, scope) for table in flow.readings],
            explained=self._explained(scope) if alarm or final is not Outcome.APPROVE else {},
            silent=silent,
        )

    def _explained(self, scope: Scope) -> dict[str, Explained]:
        """The models that are there, explained."""
        found = {}
        for node in self.definition.models:
            forest = self.models.get(node.reference)
            if forest is not None:
                given = [evaluate(part, scope) for part in node.args]
                scale = sum(max(abs(leaf) for leaf in leaves_of(tree)) for tree in forest.trees)
                types = [part.type for part in node.args]
                found[node.reference] = Explained(given, types, forest.contributions(given), scale)
        return found

    def _silent(self, rule: str, event: Event) -> set[str]:
        """Why a rule is silent for one of the event's entities, in each way to say it; nothing if it is not."""
        said, at = set(), microseconds(event.at)
        for name, kind in type(event).__contract__.items():
            key = getattr(event, name)
            if kind.entity is None or key is None:
                continue
            of = (rule, kind.entity.entity_name, str(key))
            held = [(microseconds(s.at), n, s) for n, s in enumerate(self.snoozes) if (s.rule, s.entity, s.key) == of]
            held = [one for one in held if one[0] <= at]
            if held and at < microseconds(max(held)[2].until):
                last = max(held)[2]
                until = last.until.isoformat().replace("+00:00", "Z")
                said.add(f"{rule} is silent for {last.entity} {last.key} until {until}: {last.because}")
        return said

    def _level(self, scope: Scope) -> str | None:
        bands = self.definition.level
        value = None if bands is None else evaluate(bands.of, scope)
        if bands is None or value is None:
            return None
        reached = [
            name
            for name, least in zip(bands.names, bands.thresholds, strict=True)
            if compared(float_of(value), least) >= 0
        ]
        return reached[-1] if reached else None

    def _limited(self, outcome: Outcome, at: int) -> Outcome:
        # severest first: what one limit makes milder may then be too much of the milder kind
        for cap in sorted(self.definition.caps, key=lambda limit: -limit.outcome):
            if outcome is cap.outcome:
                answered = [when for when, final in self.outcomes if final is cap.outcome]
                outcome = cap.then if full(answered, at, cap.count, cap.last) else outcome
        return outcome


def full(answered: Sequence[int], at: int, count: int, last: int) -> bool:
    """Whether some interval of length `last`, its beginning in it and its end not, has `at` in it and `count` answers.

    Of all intervals those will do that begin with an answer or with `at`: any other may begin later and lose nothing.
    """
    return any(
        sum(start <= when < start + last for when in answered) >= count
        for start in {*answered, at}
        if start <= at < start + last
    )


def float_of(value: Any) -> Any:
    """A number as the float that levels are told from."""
    found = real(value)
    assert found is not None
    return found


def real_or_none(value: Any) -> float | None:
    """A score: a float, or missing."""
    return None if value is None else real(value)
