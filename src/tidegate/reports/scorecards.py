"""What a scorecard did: how its points are spread, what fell into each bin, and which reasons it gave."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegate.reports.detection import Truth, ranking, ratio, wilson
from tidegate.reports.figures import FRAUD, UNKNOWN, CardBin, CardFigures
from tidegate.reports.spread import ScoreSpread, spread_of

_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class BinWorth:
    """A bin and the events that fell into it; `rate` is the share of frauds among those with a label, `low` and `high`
    its 95 % interval. The bin of none, for values that no bin is for, is None."""

    characteristic: str
    bin: CardBin | None
    events: int
    share: float
    known: int
    frauds: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ReasonWorth:
    """A reason code: its words, how many decisions name it, for how many it is the first, and the points lost by it
    there, on average."""

    code: str
    words: str
    named: int
    first: int
    lost: float


@dataclass(frozen=True, slots=True)
class CardWorth:
    """What a scorecard did. `roc_auc` is how often its points put a fraud on the bad side of an honest event, NaN where
    not both are known; `quantiles` are of the points: least, quarter, half, three quarters, most."""

    name: str
    worse: bool
    scored: int
    unscored: int
    quantiles: tuple[float, ...]
    roc_auc: float
    spread: ScoreSpread | None
    bins: tuple[BinWorth, ...]
    reasons: tuple[ReasonWorth, ...]


def card_worth(card: CardFigures, known: Truth) -> CardWorth:
    """The worth of a scorecard, over the decisions of a replay."""
    points = card.points[np.isfinite(card.points)]
    ranked = ranking(card.points if card.worse else -card.points, known.label)
    return CardWorth(
        name=card.name,
        worse=card.worse,
        scored=len(points),
        unscored=len(card.points) - len(points),
        quantiles=tuple(np.quantile(points, [0, 0.25, 0.5, 0.75, 1], method="inverted_cdf").tolist())
        if len(points)
        else (),
        roc_auc=ranked.roc_auc if ranked else float("nan"),
        spread=spread_of(card.points, known.label),
        bins=tuple(_bins(card, known)),
        reasons=_reasons(card),
    )


def _bins(card: CardFigures, known: Truth) -> list[BinWorth]:
    """Every bin in the card's order; after those of a characteristic what fell into none, if anything did."""
    found = []
    labelled, fraud = known.label != UNKNOWN, known.label == FRAUD
    for (name, bins), places in zip(card.characteristics, card.bins, strict=True):
        size = len(bins) + 1
        events, with_label, frauds = (
            np.bincount(places[chosen].astype(np.int64) + 1, minlength=size)
            for chosen in (np.ones(len(places), np.bool_), labelled, fraud)
        )
        for place in (*range(1, size), 0):
            if place == 0 and not events[0]:
                continue
            many, hits = int(with_label[place]), int(frauds[place])
            low, high = wilson(hits, many)
            own = bins[place - 1] if place else None
            share = ratio(int(events[place]), len(places))
            found.append(BinWorth(name, own, int(events[place]), share, many, hits, ratio(hits, many), low, high))
    return found


def _reasons(card: CardFigures) -> tuple[ReasonWorth, ...]:
    """The reason codes as decisions name them: by the points lost, those that lost none left out; most named first."""
    every = [one for _, bins in card.characteristics for one in bins]
    codes = list(dict.fromkeys(one.code for one in every))
    if not codes or not card.most:
        return ()
    named, first, lost = np.zeros(len(codes), np.int64), np.zeros(len(codes), np.int64), np.zeros(len(codes))
    whole = np.flatnonzero((card.bins >= 0).all(axis=0))
    for start in range(0, len(whole), _AT_ONCE):
        sums = _lost(card, codes, whole[start : start + _AT_ONCE])
        order = np.argsort(-sums, axis=0, kind="stable")
        for rank in range(min(card.most, len(codes))):
            code, amount = order[rank], np.take_along_axis(sums, order[rank : rank + 1], axis=0)[0]
            given = amount > 0.0
            named += np.bincount(code[given], minlength=len(codes))
            lost += np.bincount(code[given], amount[given], minlength=len(codes))
            if rank == 0:
                first += np.bincount(code[given], minlength=len(codes))
    worst = {code: max((one for one in every if one.code == code), key=lambda one: one.lost) for code in codes}
    made = [
        ReasonWorth(code, worst[code].because, int(named[k]), int(first[k]), ratio(float(lost[k]), int(named[k])))
        for k, code in enumerate(codes)
    ]
    return tuple(sorted(made, key=lambda one: -one.named))


def _lost(card: CardFigures, codes: list[str], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Points lost by code and row."""
    sums = np.zeros((len(codes), len(rows)))
    for (_, bins), places in zip(card.characteristics, card.bins[:, rows], strict=True):
        of = np.array([codes.index(one.code) for one in bins])
        points = np.array([one.lost for one in bins])
        np.add.at(sums, (of[places], np.arange(len(rows))), points[places])
    return sums
