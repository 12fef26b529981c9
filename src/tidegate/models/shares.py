"""What each feature did to a score, of a model that only answers: against a typical row.

There are no trees to walk, so there is no exact TreeSHAP. With a typical value for every feature, up to ten features
have exact Shapley values of the game in which a feature that is absent has its typical value (baseline Shapley,
Sundararajan and Najmi 2020, "The many Shapley values for model explanation"); they add up to the score less the
typical row's. More features have what the score loses when a feature alone is replaced (occlusion, Zeiler and Fergus
2014), which need not add up to anything.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import factorial
from typing import Any

import msgspec.structs
import numpy as np
from numpy.typing import NDArray

from tidegate.models.explanation import Explained, Reason, reasons, spoken

__all__ = ["MOST_EXACT", "against", "contributions", "method_of"]

Floats = NDArray[np.float64]
MOST_EXACT = 10


def method_of(features: int) -> str:
    """How contributions of a model of so many features are worked out."""
    return "baseline Shapley" if features <= MOST_EXACT else "occlusion"


def contributions(answer: Callable[[Floats], Floats], row: Floats, typical: Floats) -> Floats:
    """One number per feature; NaN if the model has no answer for one of the rows that are asked.

    Args:
        answer: the model, over a matrix with one column per feature.
        row: what is explained.
        typical: a typical value for each feature.
    """
    n = len(row)
    if n > MOST_EXACT:
        rows = np.vstack([row, np.where(np.eye(n, dtype=np.bool_), typical, row)])
        scores = answer(rows)
        return np.asarray(scores[0] - scores[1:], np.float64)
    there = _coalitions(n)
    scores = answer(np.where(there, row, typical))
    return np.asarray(_weights(n) @ scores, np.float64)


@cache
def _coalitions(n: int) -> NDArray[np.bool_]:
    """Every set of features, a row each: bit k of its number says whether feature k is there."""
    found: NDArray[np.bool_] = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1 == 1
    return found


@cache
def _weights(n: int) -> Floats:
    """By feature and set, what the set's score counts in the feature's Shapley value."""
    there = _coalitions(n)
    sizes = there.sum(axis=1)
    with_it = np.array([factorial(s - 1) * factorial(n - s) if s else 0 for s in range(n + 1)]) / factorial(n)
    without = np.array([-factorial(s) * factorial(n - s - 1) if s < n else 0 for s in range(n + 1)]) / factorial(n)
    found: Floats = np.where(there.T, with_it[sizes], without[sizes])
    return found


def against(
    model: Explained,
    row: Floats,
    parts: Floats,
    typical: Sequence[float],
    descriptions: Mapping[str, str],
    say: Callable[[int, Any], str] | None,
) -> tuple[Reason, ...]:
    """At most four reasons, with what each is told against in its words; none if the model had no answer somewhere.

    Args:
        model: whose features they are.
        row: what is explained, a text as its place.
        parts: what `contributions` gave.
        typical: the row that they are told against.
        descriptions: of features, by name.
        say: how a value of the feature at a place is told; as it stands if left out.
    """
    if np.isnan(parts).any():
        return ()
    found = []
    for one in reasons(model, row, parts, descriptions=descriptions, say=say):
        place = list(model.features).index(one.feature)
        usual, texts = float(typical[place]), model.categories.get(one.feature)
        value = None if math.isnan(usual) else texts[int(usual)] if texts and usual >= 0 else usual
        told = spoken(value) if say is None else say(place, value)
        method = method_of(len(model.features))
        found.append(msgspec.structs.replace(one, words=f"{one.words}, against a typical {told}", method=method))
    return tuple(found)
