"""A flow's decider, fed with events: they are brought into its rows, and answers made of what it made of those."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tidegate.decisions.answer import Answers
from tidegate.decisions.decider import LEARN, OVERDUE, READ, Decider
from tidegate.decisions.definition import Definition
from tidegate.decisions.encode import Encoder
from tidegate.decisions.plan import Plan
from tidegate.events.event import Event
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
        self._plan = plan
        self.decider = Decider(plan, models, batch, runners_of(definition))
        self.encoder = Encoder(plan, self.decider.words, batch)
        self.answers = Answers(self.decider, explain=explain)

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
            kind = self._kinds[type(events[0])]
            decider.kinds[0], decider.flags[0] = kind, LEARN if learn_only or kind else READ | LEARN
            encoder.put_one(kind, events[0], decider.flat, decider.flat_floats, decider.capacity)
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
