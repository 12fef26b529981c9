"""What is given with an evaluation: the time, where reasons are kept, and how much work it may be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tidegate.expressions.feel.refusals import FeelLimitError, around
from tidegate.expressions.feel.temporal import DateTime

MOST_REASONS = 1000
"""How many reasons a trace keeps; the rest are counted."""

External = Callable[[dict[str, Any], list[str], list[Any]], Any]
"""Runs a function that is defined outside: its definition, the names of its parameters, and the arguments."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a FEEL text. `label` says whose text it is, or nothing."""

    text: str
    start: int
    end: int
    label: str = ""

    def __str__(self) -> str:
        line = self.text.count("\n", 0, self.start) + 1
        column = self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1
        whose = f"{self.label}, " if self.label else ""
        return f"{whose}line {line}, column {column}: {around(self.text, self.start, self.end)}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a part of a FEEL text is null."""

    place: Place
    why: str

    def __str__(self) -> str:
        return f"{self.why} ({self.place})"


@dataclass(slots=True)
class Trace:
    """The places where FEEL said null, and why, in the order in which they were met.

    `more` counts the reasons past the first thousand, which are not kept.
    """

    reasons: list[Reason] = field(default_factory=list)
    more: int = 0

    def add(self, reason: Reason) -> None:
        """Keep a reason, if there is room and it was not the last one already."""
        if len(self.reasons) >= MOST_REASONS:
            self.more += 1
        elif not self.reasons or self.reasons[-1] != reason:
            self.reasons.append(reason)


@dataclass(slots=True)
class Budget:
    """How much work an evaluation may be. It counts down; share one among the evaluations of one decision.

    Args:
        steps: how many calls, turns of loops, and elements of lists looked at or made, in all.
        depth: how deep calls may be nested, in frames of Python's stack; Python's own end is 1000 unless it is moved.
        size: how many elements a list, or characters a string, may have.
    """

    steps: int = 2_000_000
    depth: int = 600
    size: int = 1_000_000

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            FeelLimitError: there were not so many left.
        """
        self.steps -= steps
        if self.steps < 0:
            self.steps = 0
            raise FeelLimitError(
                "An evaluation takes more steps than it may.",
                do="Go through less: filter before you iterate, or split what is given.",
            )

    def sized(self, size: int) -> None:
        """Hold a list or string that is about to be made to its size, and count it.

        Raises:
            FeelLimitError: it is too large.
        """
        if size > self.size:
            raise FeelLimitError(
                "A list or string is about to grow too large.",
                seen=f"{size} elements or characters",
                do=f"Stay under {self.size}: filter before you iterate, or split what is given.",
            )
        self.spend(1 + size // 16)


@dataclass(frozen=True, slots=True)
class Given:
    """What an evaluation is given besides the values of its names.

    Args:
        now: what `now()` is, and `today()` the date of; null, with a reason, where it is None.
        trace: keeps the reasons why parts of the text are null; None keeps none.
        budget: how much work it may be.
        external: runs functions that are defined outside FEEL; None leaves them null, with a reason.
    """

    now: DateTime | None = None
    trace: Trace | None = None
    budget: Budget = field(default_factory=Budget)
    external: External | None = None


class Run:
    """One evaluation under way."""

    __slots__ = ("budget", "depth", "given", "place", "spend", "trace")

    def __init__(self, given: Given) -> None:
        self.given, self.trace, self.budget = given, given.trace, given.budget
        self.spend = given.budget.spend
        self.depth = 0
        self.place: Place | None = None

    def null(self, place: Place | None, why: str, *parts: Any) -> Any:
        """Say null, and keep why. `parts` are put into the braces of `why`, told in words."""
        if self.trace is None or place is None:
            return None
        if len(self.trace.reasons) >= MOST_REASONS:
            self.trace.more += 1
        else:
            self.trace.add(Reason(place, why.format(*map(_told, parts)) if parts else why))
        return None

    def why(self, why: str, *parts: Any) -> Any:
        """Say null in a built-in function, and keep why: the place is the call that is being run."""
        return self.null(self.place, why, *parts)


def _told(part: Any) -> str:
    from tidegate.expressions.feel.types import told

    return part if isinstance(part, Word) else told(part)


class Word(str):
    """A part of a reason that is a word of ours, not a value."""

    __slots__ = ()


class Frame:
    """Names and their values; what is not there is looked for in `outer`."""

    __slots__ = ("names", "outer", "run")

    def __init__(self, names: Any, outer: "Frame | None", run: Run) -> None:
        self.names, self.outer, self.run = names, outer, run
