"""Random flows, models and streams: whole cases, for the engine and for the oracle."""

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.conformance.challengers import spelled_out
from tests.conformance.events import Card, Draw, Made, Shop, made_event
from tests.conformance.formulas import Formulas
from tests.conformance.models import Model, made_model
from tests.conformance.streams import Step, made_stream
from tests.conformance.tables import fit, made_table
from tests.conformance.windows import LASTS, checks, made_window
from tidegate.connectors.models import model
from tidegate.decisions.flow import Flow
from tidegate.decisions.rule import AtMost, Deadline, approve, at_most, bands, deadline, decline, review
from tidegate.decisions.tables.node import DecisionTable
from tidegate.events.event import Event
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr, FieldRead
from tidegate.features.entity_list import EntityList, ListCheck, entity_list

_ANY = (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.TEXT, Kind.BOOL, Kind.TIME, Kind.DURATION)


@dataclass(frozen=True)
class Case:
    """A flow, its models, and a stream for it in order of arrival.

    `spelled` is the same flow for the oracle: of a challenger, what it comes to when it is written out in full.
    """

    flow: type[Flow[Any]]
    spelled: type[Flow[Any]]
    steps: list[Step]
    models: dict[str, Model] = field(default_factory=dict)

    @property
    def events(self) -> list[Event]:
        return [step.event for step in self.steps]

    def __repr__(self) -> str:
        """To be read when it fails."""
        forests = [f"{name}: {one.forest}" for name, one in self.models.items()]
        return "\n".join([self.flow.definition.text, *forests, *map(repr, self.steps)])


class Lines:
    """Draws the lines of a flow, each of which may use those before it."""

    def __init__(self, draw: Draw, decided: Made, others: Sequence[Made], lists: Sequence[EntityList]) -> None:
        self.draw, self.decided, self.others, self.lists = draw, decided, others, lists
        self.formulas = Formulas(draw, [*decided.leaves(), *checks(lists, decided)])
        self.formulas.scorecards = True
        self.models = 0

    def window(self) -> Expr:
        return made_window(self.draw, self.decided, self.others, self.lists)

    def feature(self) -> Expr:
        made = self.formulas.of(self.draw(st.sampled_from(_ANY)), 3)
        if isinstance(made, FieldRead):  # one of its own, as an author would write it
            return getattr(made.event, made.name)  # type: ignore[no-any-return]
        return made.with_args(made.args) if isinstance(made, ListCheck) else made

    def tables(self) -> dict[str, DecisionTable]:
        """Decision tables; what they give is a feature to what comes after them."""
        made: dict[str, DecisionTable] = {}
        for number in range(self.draw(st.sampled_from([0, 0, 0, 1, 2]))):
            table = made_table(self.draw, f"t{number}", [leaf for leaf in self.formulas.leaves if fit(leaf)])
            made[f"t{number}"] = table
            if not table.table.policy.is_list:
                self.formulas.leaves += [table[column.name] for column in table.table.outputs]
        return made

    def model(self) -> Expr:
        self.models += 1
        leaves = st.sampled_from(self.formulas.leaves)
        drawn = [self.draw(leaves) for _ in range(self.draw(st.integers(1, 7)))]
        # a field of a parent type is that of the event which inherits it, so by name it is one and the same
        given = list({re.sub(r"\b\w+\.(?=\w+)", "", str(leaf)): leaf for leaf in drawn}.values())
        return model(f"m{self.models}@champion", of=given, otherwise=self.draw(st.sampled_from([0.0, 0.5, -1.0])))

    def rule(self, number: int) -> Any:
        make = self.draw(st.sampled_from([approve, review, review, decline, decline]))
        return make(self.formulas.of(Kind.BOOL, 2), because=f"Reason {number}")

    def limits(self) -> list[AtMost | Deadline]:
        made: list[AtMost | Deadline] = [self._cap() for _ in range(self.draw(st.integers(0, 2)))]
        if self.draw(st.booleans()):
            made.append(deadline("50ms", answer=self.draw(st.sampled_from(["approve", "review", "decline"]))))
        return made

    def _cap(self) -> AtMost:
        limited, then = self.draw(
            st.sampled_from([("decline", "review"), ("decline", "approve"), ("review", "approve")])
        )
        return at_most(self.draw(st.integers(1, 3)), limited, last=self.draw(st.sampled_from(LASTS)), then=then)

    def all(self) -> dict[str, Any]:
        """Every line of a flow."""
        draw, lines = self.draw, dict[str, Any](currency="EUR")
        makers = [("w", self.window, draw(st.integers(1, 5))), ("d", self.feature, draw(st.integers(0, 3)))]
        makers.append(("m", self.model, draw(st.sampled_from([0, 0, 1, 2]))))
        for letter, make, many in makers:
            for number in range(many):
                lines[f"{letter}{number}"] = make()
                self.formulas.leaves.append(lines[f"{letter}{number}"])
            if letter == "d":
                lines |= self.tables()
        for number in range(draw(st.integers(1, 3))):
            lines[f"r{number}"] = self.rule(number)
        if draw(st.booleans()):
            lines["score"] = self.formulas.number(2)
            lines["level"] = bands(lines["score"], low=-1.0, middle=0.5, high=3.0)
        if draw(st.booleans()):
            lines["alarm"] = self.formulas.of(Kind.BOOL, 2)
        if draw(st.integers(0, 2)) == 0:
            lines["limits"] = self.limits()
        if draw(st.booleans()):
            lines["lateness"] = draw(st.sampled_from(["0s", "1s", "4s", "1h"]))
        if self.others:
            lines["learns"] = [other.event for other in self.others]
        return lines

    def again(self, lines: Mapping[str, Any]) -> dict[str, Any]:
        """What a challenger writes again: some lines of the same type, others left out, one that is new."""
        own: dict[str, Any] = {}
        used = {leaf.key for leaf in self.formulas.leaves} if self.models else set()
        once = {id(line): name for name, line in reversed(lines.items()) if isinstance(line, Expr)}
        for name, line in lines.items():
            if self.draw(st.integers(0, 2)):
                continue
            if isinstance(line, Expr) and name[0] in "wdm" and once[id(line)] == name:
                made = self.window() if name[0] == "w" else self.formulas.of(line.type.kind, 2)
                readable = (
                    isinstance(made, FieldRead) or line.type.kind is not Kind.TEXT
                )  # functions of text read fields
                # a model is given nothing twice, so no line becomes what another is
                if made.type == line.type and made is not line and readable and made.key not in used:
                    own[name] = made
                    used |= {made.key} if self.models else set()
            elif name[0] == "r" and name != "r0":
                own[name] = None if self.draw(st.booleans()) else self.rule(9)
            elif name == "limits":
                own[name] = self.limits()
        own["added"] = self.rule(10)
        return own


def _flow(name: str, base: Any, lines: Mapping[str, Any]) -> type[Flow[Any]]:
    return types.new_class(name, (base,), {}, lambda space: space.update(lines))


def made_events(draw: Draw) -> tuple[Made, list[Made]]:
    """The event decided on and up to three others; in a family some derive from a type that none of them is."""
    parent = made_event(draw, "Happened") if draw(st.integers(0, 2)) == 0 else None
    decided = made_event(draw, "Paid", parent)
    names = ("Login", "Report", "Refund")[: draw(st.sampled_from([0, 1, 1, 2, 3]))]
    return decided, [made_event(draw, name, parent if draw(st.booleans()) else None) for name in names]


def made_flow(draw: Draw) -> tuple[type[Flow[Any]], type[Flow[Any]], Made, list[Made]]:
    """A flow or a challenger; the same written out in full; the event decided on and the others."""
    decided, others = made_events(draw)
    lists = [entity_list("watched", Card), entity_list("shut", Shop)]
    made = Lines(draw, decided, others, lists)
    lines = made.all()
    base: Any = Flow[decided.event]  # type: ignore[name-defined]
    flow = _flow("Random", base, lines)
    if draw(st.integers(0, 3)):
        return flow, flow, decided, others
    again = made.again(lines)
    family = [one for one in (decided, decided.parent, *others, *(other.parent for other in others)) if one]
    events = {one.event.__name__: one.event for one in family}
    spelled = _flow("Spelled", base, spelled_out(lines, again, events))
    return _flow("Challenger", flow, again), spelled, decided, others


def made_models(draw: Draw, flow: type[Flow[Any]]) -> dict[str, Model]:
    """Models for most of those that a flow asks for; the others are not there."""
    plans = [plan for segment in flow.plan.segments for plan in segment.models]
    asked = [plan.reference for plan in plans]
    # a challenger can ask one model twice, of other features, or of one feature twice: there is no model of these
    once = [p for p in plans if asked.count(p.reference) == 1 and len(set(p.names)) == len(p.names)]
    return {plan.reference: made_model(draw, plan) for plan in once if draw(st.integers(0, 4))}


@st.composite
def cases(draw: Draw, longest: int = 30) -> Case:
    """A flow, its models, and a stream of events for it."""
    flow, spelled, decided, others = made_flow(draw)
    models = made_models(draw, flow)
    return Case(flow, spelled, made_stream(draw, flow.definition, decided, others, longest), models)
