"""What each feature did to a score, of a model that only answers: against a typical row.

There are no trees to walk, so there is no exact TreeSHAP. With a typical value for every feature, up to ten features
have exact Shapley values of the game in which a feature that is absent has its typical value (baseline Shapley,
Sundararajan and Najmi 2020, "The many Shapley values for model explanation"); they add up to the score less the
typical row's. More features have what the score loses when a feature alone is replaced (occlusion, Zeiler and Fergus
2014), which need not add up to anything.
"""

from collections.abc import Callable, Sequence
from functools import cache
from math import factorial

import msgspec.structs
import numpy as np
from numpy.typing import NDArray

from tidegate.models.explanation import Words
from tidegate.models.reason import ModelReason

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


def against(words: Words, row: Floats, parts: Floats, typical: Sequence[float]) -> tuple[ModelReason, ...]:
    """At most four reasons, with what each is told against in its words; none if the model had no answer somewhere.

    Args:
        words: how the model's features are told.
        row: what is explained, a text as its place.
        parts: what `contributions` gave.
        typical: the row that they are told against.
    """
    if np.isnan(parts).any():
        return ()
    found, method = [], method_of(len(words.features))
    for one in words.reasons(row, parts):
        place = words.features.index(one.feature)
        _, told = words.told(place, float(typical[place]))
        found.append(msgspec.structs.replace(one, words=f"{one.words}, against a typical {told}", method=method))
    return tuple(found)
