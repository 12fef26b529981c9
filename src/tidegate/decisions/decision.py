"""Decisions: what was decided, why, and by which versions."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import astuple, force_setattr, replace

from tidegate.models.reason import ModelReason


class FiredRule(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A rule whose condition held, its words, and the values it saw; of a decision table, the row that decided."""

    rule: str
    outcome: str
    because: str
    saw: dict[str, Any]
    row: str | None = None


class ModelUse(msgspec.Struct, frozen=True, gc=False):
    """A model that was asked: which, what it said, and, if it could not answer, why `otherwise` was used.

    `score` is its number; of one that answers with a text, None, and `label` is the text.
    """

    model: str
    digest: str
    score: float | None
    otherwise: str | None = None
    label: str | msgspec.UnsetType = msgspec.UNSET


class MatchedRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a decision table that matched: its name is `row`, its `cells` are by input, as far as they ask."""

    row: str
    cells: dict[str, str]


class TableUse(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a decision table was given, which of its rows matched, and what it said.

    `saw` are the inputs and `outputs` the outputs, by name. `rows` are those that decided, at most twenty; `matched` is
    how many there are. `said` tells, in words, what is out of the ordinary: that no row matched or too many did, that
    the default row decided, that an input was missing.
    """

    table: str
    digest: str
    saw: dict[str, Any]
    rows: tuple[MatchedRow, ...] = ()
    matched: int = 0
    outputs: dict[str, Any] = {}
    said: str | None = None


class ScoredBin(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where one characteristic of a scorecard lies: its value, the bin that it falls into, and what that is worth.

    `lost` are the points lost against the characteristic's baseline, below zero where points were won. Without a `bin`
    the value falls into none.
    """

    characteristic: str
    value: Any
    bin: str | None = None
    points: float | None = None
    lost: float | None = None


class ScorecardReason(msgspec.Struct, frozen=True, gc=False):
    """A reason for points lost: its code, its words, and how many points."""

    code: str
    words: str
    lost: float


class ScorecardUse(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a scorecard said: the points, the bin of every characteristic, and where most points were lost.

    `points` are None where a value falls into no bin, and `said` then tells which. `probability` is the chance of the
    event at these points, where the scorecard has a scale.
    """

    scorecard: str
    digest: str
    points: float | None
    bins: tuple[ScoredBin, ...] = ()
    reasons: tuple[ScorecardReason, ...] = ()
    probability: float | None = None
    said: str | None = None


class PackageUse(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A package of rules that Drools ran: what it gave, which rules fired, and, if it could not answer, why.

    `rules` are those that fired, each once, in order of their first firing, at most twenty; `fired` is how often any
    did. `otherwise` says why the declared results were used.
    """

    package: str
    digest: str
    outputs: dict[str, Any]
    rules: tuple[str, ...] = ()
    fired: int = 0
    otherwise: str | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, eq=False):
    """The answer to one event.

    `outcome` is approve, review or decline; `score` the flow's score or none; `level` the band it lies in; `alarm`
    whether the flow's alarm condition held. `rules` are those that fired, severest first; `unknown` those whose
    condition was missing; `unread` says which amounts the flow could not read, being in another currency than its own.
    `snoozed` says which rules
    would have fired and were silenced. `limited` says which limit of the flow made the outcome milder, or that the
    deadline passed.
    `tables` says of every decision table which of its rows decided, and why.
    `packages` says of every package of rules in DRL what it gave, and which of its rules fired.
    `scorecards` says of every scorecard which points its characteristics have, and where most were lost.
    `timing` says how long each stage took, in microseconds: `wait` for the event's turn, where events wait for one,
    `decide`, and `keep`, until it was safe; the last two are those of the batch that it was decided in. It is the only
    part that differs when a decision is made again: it is not sealed, and decisions that differ in it alone are equal.
    """

    id: str
    outcome: str
    score: float | None = None
    level: str | None = None
    alarm: bool = False
    rules: tuple[FiredRule, ...] = ()
    reasons: tuple[ModelReason, ...] = ()
    unknown: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    models: tuple[ModelUse, ...] = ()
    tables: tuple[TableUse, ...] = ()
    packages: tuple[PackageUse, ...] = ()
    scorecards: tuple[ScorecardUse, ...] = ()
    limited: str | None = None
    snoozed: tuple[str, ...] = ()
    flow: str = ""
    repeated: bool = False
    features: dict[str, Any] | None = None
    timing: dict[str, float] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return astuple(self)[:-1] == astuple(other)[:-1]

    def __ne__(self, other: object) -> bool:  # a struct has one of its own, which looks at every field
        return not self == other

    def __hash__(self) -> int:
        return hash((self.id, self.outcome, self.score, self.flow))


_ENCODER = msgspec.json.Encoder()


def tell(answers: Iterable[object], timing: dict[str, float]) -> None:
    """Give decisions their timing, before anyone has seen them without; what else is among the answers has none."""
    for answer in answers:
        if type(answer) is Decision:
            force_setattr(answer, "timing", timing)


def to_json(decision: Decision) -> bytes:
    """The decision as JSON, as it is kept and sealed: without its timing."""
    return _ENCODER.encode(decision if decision.timing is None else replace(decision, timing=None))
