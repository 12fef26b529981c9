"""A flow's decider, fed with events: they are brought into its rows, and answers made of what it made of those."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tidegate.decisions.answer import Answers
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import Decision
from tidegate.decisions.definition import Definition
from tidegate.decisions.encode import Encoder
from tidegate.decisions.plan import LEARN, OVERDUE, READ, Plan
from tidegate.events.event import Event
from tidegate.events.times import microseconds_of
from tidegate.models.scoring import ScoringModel
from tidegate.runtimes.intake import Answer, Learned
from tidegate.runtimes.models import runners_of

_MANY = 8
"""Events of one type from which it is faster to bring them into rows a field at a time."""


class EventRows:
    """The rows of one decider that knows nothing yet.

    Args:
        definition: of the flow.
        plan: of the flow.
        models: by reference.
        batch: the most rows.
        explain: put every feature's value, and the models' reasons, into every decision.
    """

    def __init__(
        self, definition: Definition, plan: Plan, models: Mapping[str, ScoringModel], batch: int, *, explain: bool
    ) -> None:
        self._kinds: dict[type[Event], int] = {kind: number for number, kind in enumerate(definition.kinds)}
        self._plan, self.own = plan, definition.event
        self.decider = Decider(plan, models, batch, runners_of(definition))
        self.encoder = Encoder(plan, self.decider.words, batch)
        self._writers = self.encoder.writers
        self.answers = Answers(self.decider, explain=explain)
        # Python puts a number into memory in a third of the time that it takes to put it into an array.
        self._first_kind, self._first_flags = self.decider.kinds.data, self.decider.flags.data

    def put(
        self,
        events: Sequence[Event],
        learn_only: bool = False,
        late: Sequence[bool] = (),
        times: Sequence[int] | None = None,
    ) -> None:
        """Bring events, whose `times` may be known, into the decider's rows; `late` marks those past their deadline."""
        decider, encoder, n = self.decider, self.encoder, len(events)
        if n == 1 and not late and not self._plan.worded:
            self.put_one(events[0], microseconds_of(events[0].at) if times is None else times[0], learn_only)
            return
        if n >= _MANY and not late and len(set(map(type, events))) == 1:
            kind = self._kinds[type(events[0])]
            decider.kinds[:n], decider.flags[:n] = kind, LEARN if learn_only or kind else READ | LEARN
            encoder.put_all(kind, events, decider.cells, times)
            return
        for row, event in enumerate(events):
            kind = self._kinds[type(event)]
            decider.kinds[row] = kind
            decider.flags[row] = LEARN if learn_only or kind else READ | LEARN | (OVERDUE if late and late[row] else 0)
            encoder.put(row, kind, event)
        encoder.scatter(decider.cells, decider.kinds, len(events))

    def put_one(self, event: Event, at: int, learn_only: bool = False) -> None:
        """Bring one event of time `at`, microseconds since 1970 UTC, into the first row, if no wordings are kept."""
        decider, kind = self.decider, self._kinds[type(event)]
        self._first_kind[0], self._first_flags[0] = kind, LEARN if learn_only or kind else READ | LEARN
        self._writers[kind](event, at, decider.flat, decider.flat_floats, decider.capacity)

    def answered_one(self, event: Event) -> Decision:
        """The decision on an event that stands alone in the first row."""
        decider, answers = self.decider, self.answers
        if answers.plain and not (decider.limited or decider.silenced):
            quiet = answers.quiet_one(event.id)
            if quiet is not None:
                return quiet
        return answers.decision(0, event.id, partial(getattr, event))

    def answered(self, events: Sequence[Event], late: Sequence[bool] = ()) -> list[Answer]:
        """The answers to events that were just decided, in the decider's first rows."""
        decider, n = self.decider, len(events)
        plain = self.answers.plain and not (late or decider.limited or decider.silenced)
        made: list[Any] = self.answers.quiet([event.id for event in events]) if plain else [None] * n
        if len(self._kinds) > 1:
            for row in decider.kinds[:n].nonzero()[0].tolist():
                made[row] = Learned(events[row].id)
        loud = [row for row, answer in enumerate(made) if answer is None]
        reasons = self.answers.reasons(loud) if len(loud) > 1 else None
        for row in loud:
            event, overdue = events[row], bool(late) and late[row]
            made[row] = self.answers.decision(row, event.id, partial(getattr, event), overdue, reasons)
        return made
