"""One event alone: what a batch of one comes to, without what only a batch needs."""

from time import perf_counter

from msgspec.structs import force_setattr

from tidegate.decisions.decision import Decision
from tidegate.events.event import Event
from tidegate.runtimes.event_rows import EventRows
from tidegate.runtimes.intake import Intake
from tidegate.runtimes.memory import Memory


class FastPath:
    """The way of single events to their decisions in an engine without a store.

    A batch's lists and arrays take longer than all that a flow asks of one event. Every event that is out of the
    ordinary is left to `Engine.process`: one that came before, is refused, or is not to be decided.

    Args:
        rows: of the engine.
        intake: of the engine.
        memory: where answers are kept.

    Attributes:
        timing: of the last decision.
        learning: whether an event is in the middle of being learned; left so where that was interrupted.
    """

    def __init__(self, rows: EventRows, intake: Intake, memory: Memory) -> None:
        self._put, self._answered, self._run = rows.put_one, rows.answered_one, rows.decider.run
        self._admit, self._memory, self._own = intake.admit_one, memory, rows.own
        self.timing: dict[str, float] = {}
        self.learning = False

    @staticmethod
    def fits(rows: EventRows) -> bool:
        """Whether a flow's events can go this way: not where the wording of texts has to be kept from row to row."""
        return not (rows.decider.plan.worded or rows.decider.packages)

    def decide(self, event: Event, timed: bool) -> Decision | None:
        """The decision on an event, which is learned then. None if it is out of the ordinary: nothing was done.

        Args:
            event: one that keeps its contract.
            timed: whether the decision tells how long it took; see `Decision.timing`.
        """
        began = perf_counter()
        if type(event) is not self._own or event.id in self._memory:
            return None
        at = self._admit(event)
        if at is None:
            return None
        self.learning = True
        self._put(event, at)
        self._run(1)
        decision = self._answered(event)
        decided = perf_counter()
        self._memory.keep_one(event, decision)
        self.learning = False
        self.timing = {"decide": (decided - began) * 1e6, "keep": (perf_counter() - decided) * 1e6}
        if timed:
            force_setattr(decision, "timing", self.timing)
        return decision
