"""What a replay gives: a decision's figures per row as plain arrays, what fired, how long it took."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.files_columns import Unread
from tidegate.decisions.answer import OUTCOMES
from tidegate.decisions.plan import Plan
from tidegate.events.currency import decimals
from tidegate.events.times import microseconds_of
from tidegate.models.scoring import ScoringModel
from tidegate.reports import CardFigures, Example, FiredRule, ModelFacts, ReplayFigures

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


MOST_NAMED = 20
"""How many of the events that were refused for their id are named."""


@dataclass(frozen=True)
class Placed:
    """An event of a replay, and where it stands.

    Args:
        id: its id.
        source, line: where it stands.
        at: its time, microseconds since 1970 UTC.
    """

    id: str
    source: str
    line: int
    at: int


@dataclass(frozen=True)
class Newest(Placed):
    """The event that set the time which others came too late for.

    Args:
        ahead: by how many microseconds it was newer than all before it; None if it was the first.
    """

    ahead: int | None


@dataclass
class Counts:
    """What became of the rows that were read.

    `decided` and `learned` were taken; `repeated` had come before; `reused` came with an id that stood for other
    content and `late` after the flow had forgotten their time, both refused; `quarantined` are rows that are no
    events. `reused_ids` names the first of those that were refused for their id; `first_late` is the first of the
    late ones, and `behind` the event that it came too late for; `newest` is the newest of all that were taken.
    `twice` counts times that could be either of two, since clocks were put back over them. `unread` says of each
    source what it has that is not read.
    """

    read: int = 0
    decided: int = 0
    learned: int = 0
    repeated: int = 0
    reused: int = 0
    late: int = 0
    quarantined: int = 0
    twice: int = 0
    reused_ids: list[str] = field(default_factory=list, compare=False)
    first_late: Placed | None = field(default=None, compare=False)
    behind: Newest | None = field(default=None, compare=False)
    newest: Newest | None = field(default=None, compare=False)
    unread: dict[str, Unread] = field(default_factory=dict, compare=False)

    @property
    def refused(self) -> int:
        """Events that were not taken, for whichever reason."""
        return self.reused + self.late


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A replay's decisions: arrays with one entry per decision, in the order in which they were made.

    Args:
        plan: what was run.
        ids: the events' ids.
        at: their times, microseconds since 1970 UTC.
        outcome: 0 approve, 1 review, 2 decline.
        score: the flow's score, NaN where it is missing or the flow has none.
        level: place in the flow's levels, -1 for none.
        alarm: whether the alarm's condition held.
        fired: per rule the rows on which it fired.
        unknown: per rule on how many rows its condition was missing.
        label: 1, 0, or -1 where it is not known; None without labels.
        amount: minor units of `currency`, -2**63 where missing or in another currency; None where there is no amount.
        counts: what became of all rows.
        limited: how many decisions the flow's own limits made milder.
        latency_us: single decisions, event to answer, in microseconds; with a store, until it is kept on disk. The
            first one is left out, since it loads kernels.
        stages: seconds of each stage.
        seconds: the whole run, reading included, warming excluded.
        examples: some decisions to be shown in full.
        models: the models that were there, by reference.
        cards: what the flow's scorecards said.
        kept: columns of the events, as far as they were asked for.
    """

    plan: Plan
    ids: pl.Series
    at: Ints
    outcome: NDArray[np.int8]
    score: Floats
    level: NDArray[np.int8]
    alarm: NDArray[np.bool_]
    fired: Mapping[str, Ints]
    unknown: Mapping[str, int]
    label: NDArray[np.int8] | None
    amount: Ints | None
    currency: str
    counts: Counts
    limited: int
    latency_us: Floats
    stages: Mapping[str, float]
    seconds: float
    examples: tuple[Example, ...] = ()
    models: Mapping[str, ScoringModel] = field(default_factory=dict)
    cards: tuple[CardFigures, ...] = ()
    kept: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def rate(self) -> float:
        """Events per second of the whole run."""
        return self.counts.read / self.seconds if self.seconds > 0 else 0.0

    def frame(self) -> pl.DataFrame:
        """The decisions as a frame: id, at, outcome, score, level, alarm, and the label where there is one."""
        levels = [*self.plan.levels, None]
        columns = {
            "id": self.ids,
            "at": pl.Series(self.at).cast(pl.Datetime("us", "UTC")),
            "outcome": pl.Series(OUTCOMES).gather(self.outcome),
            "score": pl.Series(self.score).fill_nan(None),
            "level": pl.Series(levels, dtype=pl.String).gather(np.where(self.level < 0, len(levels) - 1, self.level)),
            "alarm": pl.Series(self.alarm),
        }
        if self.label is not None:
            columns["label"] = pl.DataFrame({"l": self.label}).select(pl.when(pl.col("l") >= 0).then(pl.col("l") == 1))[
                "l"
            ]
        return pl.DataFrame(columns)

    def figures(
        self, *, source: str = "", about: str = "", made_at: int | None = None, version: str = "", label_name: str = ""
    ) -> ReplayFigures:
        """What a report is made of; `label_name` is the field or column that the labels are from."""
        rules = self.plan.rules
        return ReplayFigures(
            flow=self.plan.flow,
            digest=self.plan.digest,
            about=about,
            source=source,
            at=self.at,
            outcome=self.outcome,
            score=self.score,
            alarm=self.alarm,
            label=self.label,
            label_name=label_name,
            amount=self.amount,
            currency=self.currency,
            exponent=decimals(self.currency) if self.currency else 2,
            outcomes=OUTCOMES,
            fired=tuple(
                FiredRule(name=r.name, outcome=OUTCOMES[r.outcome], because=r.because, rows=self.fired[r.name])
                for r in rules
            ),
            cards=self.cards,
            latency_us=self.latency_us if len(self.latency_us) else None,
            stages=self.stages,
            rows_read=self.counts.read,
            refused=self.counts.refused,
            quarantined=self.counts.quarantined,
            repeated=self.counts.repeated,
            events_per_second=self.rate,
            models=tuple(_facts(name, model) for name, model in self.models.items()),
            examples=self.examples,
            made_at=made_at,
            version=version,
        )


def _facts(name: str, model: ScoringModel) -> ModelFacts:
    import msgspec

    card = msgspec.json.decode(model.files["card.json"]) if "card.json" in model.files else {}
    return ModelFacts(name=name, digest=model.digest, metrics=card.get("metrics", {}), fitted=_fitted(card))


def _fitted(card: Mapping[str, str]) -> tuple[int, int] | None:
    """The span of time of a model's training rows, in microseconds."""
    if not card.get("trained_from") or not card.get("trained_until"):
        return None
    first, last = (datetime.fromisoformat(card[name]) for name in ("trained_from", "trained_until"))
    return microseconds_of(first), microseconds_of(last)
