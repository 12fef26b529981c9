"""Contributions to words: why a model answered as it did."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["Explained", "Reason", "reasons", "spoken"]


MOST = 4
"""So many reasons a decision names."""


class Explained(Protocol):
    """What has features, some of them categories whose texts are known by their codes."""

    @property
    def features(self) -> Sequence[str]:
        """Their names."""
        ...

    @property
    def categories(self) -> Mapping[str, Sequence[str]]:
        """The texts of those that are categories."""
        ...


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One feature's part in an answer.

    Attributes:
        feature: its name.
        value: as the model saw it; None if missing, a text if a category whose texts are known.
        contribution: what it added to the raw score (log odds for a probability), against the average row.
        words: the same as a sentence's half, "times_usual is 14.2, which raises the risk".
        method: how the contribution was worked out; empty if it is a tree model's exact one or a scorecard's points.
    """

    feature: str
    value: float | str | None
    contribution: float
    words: str
    method: str = ""


def reasons(
    model: Explained,
    values: NDArray[np.float64] | Sequence[float],
    contributions: NDArray[np.float64] | Sequence[float],
    *,
    descriptions: Mapping[str, str] | None = None,
    most: int = MOST,
    least_share: float = 0.02,
    what: str = "the risk",
    say: Callable[[int, float | str | None], str] | None = None,
) -> tuple[Reason, ...]:
    """The reasons that weigh most, heaviest first, at most `most`.

    Args:
        values: the row's feature values (`Binding.values`).
        contributions: the row's contributions (`Binding.contributions`); the bias at the end is not a reason.
        descriptions: words for a feature, to stand in place of its name.
        least_share: a reason that makes up less than this share of all contributions is left out.
        what: what the score is of.
        say: words for a value, by the place of its feature, where its unit is known; default: the plain number.
    """
    parts: list[float] = np.asarray(contributions, np.float64)[: len(model.features)].tolist()
    weights = list(map(abs, parts))
    least = least_share * sum(weights)
    found = []
    for k in sorted(range(len(parts)), key=weights.__getitem__, reverse=True)[:most]:
        part = parts[k]
        if part == 0.0 or weights[k] < least:
            break
        name = model.features[k]
        value = _value(model, name, float(values[k]))
        said = (descriptions or {}).get(name) or name
        effect = "raises" if part > 0.0 else "lowers"
        told = spoken(value) if say is None else say(k, value)
        found.append(Reason(name, value, part, f"{said} is {told}, which {effect} {what}"))
    return tuple(found)


def _value(model: Explained, name: str, value: float) -> float | str | None:
    if math.isnan(value):
        return None
    texts = model.categories.get(name)
    return texts[int(value)] if texts and 0 <= value < len(texts) else value


def spoken(value: float | str | None) -> str:
    """A plain value as people read it."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return value
    if math.isfinite(value) and value == round(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.3g}"
