"""What a replay leaves behind to be reported: plain arrays, one row per decision, and a few facts about the run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import TidegateError

UNKNOWN, HONEST, FRAUD = -1, 0, 1
"""The three labels of a row: nobody knows, known to be honest, known to be fraud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredRule:
    """A rule of the flow and the rows on which it fired.

    Args:
        name: the rule's name in the flow.
        outcome: the outcome it asks for, in the flow's own word ("review", "decline").
        because: the author's words.
        rows: indices of the rows on which it fired, int64; empty when it never did.
    """

    name: str
    outcome: str
    because: str
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """A model the flow asked: its name, the digest of its file and what training measured of it.

    `fitted` is the time of the first and of the last row that it was fitted on, microseconds since 1970 UTC.
    """

    name: str
    digest: str = ""
    metrics: Mapping[str, float | int | str] = field(default_factory=dict)
    fitted: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One decision to show in full.

    `amount` is in minor units of `currency`, where that is empty of the one that is added up; `at` is in microseconds
    since 1970 UTC.
    """

    id: str
    at: int
    outcome: str
    score: float = float("nan")
    amount: int | None = None
    currency: str = ""
    label: int = UNKNOWN
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBin:
    """A bin of a scorecard's characteristic: its values as text, its points, how many of them are lost against the
    baseline (below zero where points are won), and the code and words of the reason for that."""

    text: str
    points: float
    lost: float
    code: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFigures:
    """What a scorecard of the flow said, one entry per decision.

    Args:
        name: the scorecard's.
        points: their sum, NaN where a value fell into no bin.
        bins: per characteristic and decision the place of the bin, -1 for none.
        characteristics: their names and bins, in the card's order.
        worse: whether more points are worse.
        most: how many reasons a decision names at the most.
    """

    name: str
    points: NDArray[np.float64]
    bins: NDArray[np.int16]
    characteristics: tuple[tuple[str, tuple[CardBin, ...]], ...]
    worse: bool
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayFigures:
    """All that a report is made of. Arrays have one entry per decision, in any order.

    Args:
        flow: the flow's name; `digest` its digest; `about` its docstring.
        source: what was replayed, for instance a file's name.
        at: event times, microseconds since 1970 UTC.
        outcome: index into `outcomes`, which are listed mildest first; index 0 lets the event pass.
        score: the flow's score, NaN (or infinite) where there is none.
        alarm: whether the decision raised an alarm.
        label: UNKNOWN (-1), HONEST (0) or FRAUD (1) per row; None when the source has no labels. `label_name` is the
            field that it is from, by whose name what is looked for is told.
        amount: minor units of ONE currency, -2**63 where missing; None when there is no amount to add up.
        currency: ISO 4217 code of `amount`, `exponent` its number of decimals.
        latency_us: times of single decisions in microseconds, any number of samples.
        cards: what the flow's scorecards said.
        stages: seconds of processor time by stage, in the order of the run.
        rows_read: rows of the source; those not decided are in `refused` (too late, id used twice with other content)
            or `quarantined` (unreadable), or only learned from. `repeated` were answered with their first decision.
        events_per_second: rate of the whole replay, 0 when not measured.
        made_at: when the replay ended, microseconds since 1970 UTC; None to leave it out (same input, same page).

    Raises:
        TidegateError: arrays of different lengths, an outcome without a name, or a rule pointing at no row.
    """

    flow: str
    at: NDArray[np.int64]
    outcome: NDArray[np.integer]
    score: NDArray[np.float64]
    alarm: NDArray[np.bool_]
    label: NDArray[np.int8] | None = None
    label_name: str = ""
    amount: NDArray[np.int64] | None = None
    currency: str = ""
    exponent: int = 2
    outcomes: tuple[str, ...] = ("approve", "review", "decline")
    digest: str = ""
    about: str = ""
    source: str = ""
    fired: tuple[FiredRule, ...] = ()
    latency_us: NDArray[np.float64] | None = None
    cards: tuple[CardFigures, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    rows_read: int = 0
    refused: int = 0
    quarantined: int = 0
    repeated: int = 0
    events_per_second: float = 0.0
    models: tuple[ModelFacts, ...] = ()
    examples: tuple[Example, ...] = ()
    made_at: int | None = None
    version: str = ""

    def __post_init__(self) -> None:
        rows = len(self.at)
        arrays = {"outcome": self.outcome, "score": self.score, "alarm": self.alarm}
        arrays |= {"label": self.label} if self.label is not None else {}
        arrays |= {"amount": self.amount} if self.amount is not None else {}
        arrays |= {f"sum of points of {card.name}": card.points for card in self.cards}
        for name, array in arrays.items():
            if len(array) != rows:
                raise TidegateError(
                    f"The figures of a replay need one {name} per decision.",
                    seen=f"{len(array):,} for {rows:,} decisions",
                    do=f"Pass {name} with one entry per entry of at.",
                )
        if rows and not (int(self.outcome.min()) >= 0 and int(self.outcome.max()) < len(self.outcomes)):
            raise TidegateError(
                "An outcome has no name.",
                seen=f"codes {int(self.outcome.min())} to {int(self.outcome.max())} for {self.outcomes}",
                do="Name every outcome code in outcomes, mildest first.",
            )
        for rule in self.fired:
            if len(rule.rows) and not (int(rule.rows.min()) >= 0 and int(rule.rows.max()) < rows):
                raise TidegateError(
                    f"The rule {rule.name!r} fired on a row that is not there.",
                    seen=f"rows {int(rule.rows.min())} to {int(rule.rows.max())} of {rows:,}",
                    do="Pass indices into the arrays of this replay.",
                )

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Which events lie in a span of time that a model was fitted on."""
        inside = np.zeros(self.rows, np.bool_)
        for first, last in (model.fitted for model in self.models if model.fitted is not None):
            inside |= (self.at >= first) & (self.at <= last)
        return inside

    def only(self, kept: NDArray[np.bool_]) -> "ReplayFigures":
        """The figures of some of the decisions."""
        place = np.cumsum(kept) - 1
        fired = tuple(replace(rule, rows=place[rule.rows[kept[rule.rows]]]) for rule in self.fired)
        return replace(
            self, at=self.at[kept], outcome=self.outcome[kept], score=self.score[kept], alarm=self.alarm[kept],
            label=None if self.label is None else self.label[kept],
            amount=None if self.amount is None else self.amount[kept], fired=fired,
        )  # fmt: skip

    @property
    def rows(self) -> int:
        """Number of decisions."""
        return len(self.at)
