"""Rules, levels and limits: what a flow thinks of what it knows."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from itertools import pairwise

from tidegate.errors import FlowError, meant
from tidegate.events.durations import microseconds
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr


class Outcome(IntEnum):
    """What is decided, in order of severity: the severest rule that fires wins."""

    APPROVE = 0
    REVIEW = 1
    DECLINE = 2

    @property
    def word(self) -> str:
        """As it is written in decisions."""
        return self.name.lower()


def outcome_of(word: str) -> Outcome:
    """The outcome that a word names.

    Raises:
        FlowError: there is no such outcome.
    """
    words = {outcome.word: outcome for outcome in Outcome}
    if not isinstance(word, str) or word.lower() not in words:
        raise FlowError("An outcome is approve, review or decline.", seen=repr(word), do=meant(word, words))
    return words[word.lower()]


@dataclass(frozen=True, eq=False)
class Rule:
    """If `when` holds, the outcome is at least `outcome`, because of `because`."""

    outcome: Outcome
    when: Expr
    because: str

    def __str__(self) -> str:
        return f"{self.outcome.word}({self.when}, because={self.because!r})"


def _rule(outcome: Outcome, when: Expr, because: str) -> Rule:
    if not isinstance(when, Expr) or when.type.kind is not Kind.BOOL:
        seen = f"{when} ({when.type})" if isinstance(when, Expr) else repr(when)
        raise FlowError(f"{outcome.word} takes a condition.", seen=seen, do="Compare something: risk > 0.9.")
    if not isinstance(because, str) or not because.strip():
        raise FlowError(
            "A rule says why, in words.", seen=f"because={because!r}", do='Write because="Unlike this card\'s history".'
        )
    return Rule(outcome, when, because.strip())


def require_words(flow: str, rules: Mapping[str, Rule], reads: Collection[str]) -> None:
    """Refuse words that hold the text of an expression: an f-string puts that there, and no event's value.

    Args:
        flow: whose rules they are.
        rules: by name.
        reads: the texts of what the flow reads, such as `Payment.amount`.

    Raises:
        FlowError: a rule's words hold one.
    """
    for name, rule in rules.items():
        held = next((text for text in reads if re.search(rf"(?<![\w.]){re.escape(text)}(?!\w)", rule.because)), "")
        if held:
            raise FlowError(
                f"The words of {flow}.{name} are fixed when the flow is written: an expression has no value then.",
                seen=f"{held} in {rule.because!r}",
                do="Leave it out of the words: a decision tells beside them which values the rule saw.",
            )


def approve(when: Expr, *, because: str) -> Rule:
    """A reason to approve; it is recorded, and outweighs nothing severer."""
    return _rule(Outcome.APPROVE, when, because)


def review(when: Expr, *, because: str) -> Rule:
    """Have a person look when the condition holds."""
    return _rule(Outcome.REVIEW, when, because)


def decline(when: Expr, *, because: str) -> Rule:
    """Decline when the condition holds."""
    return _rule(Outcome.DECLINE, when, because)


@dataclass(frozen=True)
class Bands:
    """Levels by lower thresholds, ascending."""

    of: Expr
    names: tuple[str, ...]
    thresholds: tuple[float, ...]


def bands(of: Expr, **thresholds: float) -> Bands:
    """Name the level of a number: `level = bands(risk, low=0.0, medium=0.5, high=0.9)`.

    The level is the last band whose threshold the number reaches; missing if it reaches none, or is missing.

    Raises:
        FlowError: not a plain number, no bands, or thresholds that do not ascend.
    """
    if not isinstance(of, Expr) or not of.type.is_number:
        do = "Make a number of an amount by dividing it: spent / eur(1)." if isinstance(of, Expr) else ""
        raise FlowError("Bands are over a plain number.", seen=str(of), do=do or "bands(risk, low=0.0, high=0.9)")
    for name, said in thresholds.items():
        if not isinstance(said, (int, float)) or isinstance(said, bool) or said != said:
            raise FlowError(f"The band {name} begins at a number.", seen=f"{name}={said!r}", do=f"Write {name}=0.5.")
    values = tuple(float(v) for v in thresholds.values())
    if not values or any(a >= b for a, b in pairwise(values)):
        raise FlowError("Bands have ascending thresholds.", seen=str(thresholds), do="bands(risk, low=0.0, high=0.9)")
    return Bands(of, tuple(thresholds), values)


@dataclass(frozen=True)
class AtMost:
    """A flow's limit on itself: at most `count` of an outcome in any `last`; what is over it becomes `then`."""

    count: int
    outcome: Outcome
    last: int
    then: Outcome


@dataclass(frozen=True)
class Deadline:
    """An event that waits for its turn for more than `within` microseconds after it came is answered with `answer`."""

    within: int
    answer: Outcome


def at_most(count: int, outcome: str, *, last: str | timedelta, then: str = "review") -> AtMost:
    """Limit how often a flow decides so: `at_most(100, "decline", last="1h")`; beyond it the outcome is `then`.

    No interval of event time as long as `last` (its beginning in it, its end not) holds more than `count`, in whatever
    order events come: a late one is limited too where an interval around it is full. What counts is what was answered,
    by a `deadline` too, whose answer is counted and never limited itself. Of several limits the one on the severest
    outcome comes first; what it makes milder counts for those on milder ones.

    Raises:
        FlowError: a limit of less than one or over no time, or one that would make the outcome severer.
    """
    limited, softer = outcome_of(outcome), outcome_of(then)
    if type(count) is not int or not 1 <= count <= 1_000_000:
        raise FlowError(
            "A limit counts from 1 to a million, in whole numbers.", seen=repr(count), do='at_most(100, "decline", …)'
        )
    if softer >= limited:
        raise FlowError(
            "Beyond a limit the outcome is a milder one.",
            seen=f"{outcome} becomes {then}",
            do=f"Write then={Outcome(limited - 1).word!r}." if limited else "Limit reviews or declines.",
        )
    over = microseconds(last)
    if not over:
        raise FlowError("A limit counts over a length of time.", seen=f"last={last!r}", do="Write last='1h'.")
    return AtMost(count, limited, over, softer)


def deadline(within: str | timedelta, *, answer: str) -> Deadline:
    """Declare what is answered to an event whose turn comes too late: `deadline("50ms", answer="review")`.

    It counts where someone waits, which is over HTTP: from the arrival of a request, or of its line of a body of many,
    until the batch that it is decided in begins. That is the part of an answer's time which grows without bound when
    more comes than can be decided. Deciding that batch and putting it on the disk follow and are not counted, and
    nothing is answered before: whether the deadline passed is settled before anything is decided, because limits count
    what is answered, and is kept with the decision, which is remade by it. In a replay, on Kafka and on Flink it never
    passes, so that a backlog is decided as it would have been.

    Raises:
        FlowError: no length of time, or none of the outcomes.
    """
    waited = microseconds(within)
    if not waited:
        raise FlowError("A deadline leaves some time.", seen=repr(within), do="deadline('50ms', answer='review')")
    return Deadline(waited, outcome_of(answer))
