"""Contributions to words: why a model answered as it did."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["Explained", "ModelReason", "Words", "reasons", "spoken"]


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


class ModelReason(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How much one feature moved the model's score, in words.

    `value` is with its unit, if it has one; None if missing, a text if a category whose texts are known. `words` are
    half a sentence: "times_usual is 14.2, which raises the risk".

    `method` is how `contribution` was worked out: nothing is said of exact TreeSHAP, which is in the model's raw units,
    nor of a scorecard's points; "baseline Shapley" and "occlusion" are in those of the score, against a typical row.
    """

    feature: str
    value: Any
    contribution: float
    words: str
    method: str = ""


class Words:
    """How the features of a model are told, which is worked out once, and not for each reason.

    Args:
        model: whose features they are.
        descriptions: words for a feature, to stand in place of its name.
        tell: gives, by the place of its feature, what tells a number: the value with its unit, and in words. Default:
            the plain number.
        quoted: gives the words for a text.
        what: what the score is of.
    """

    def __init__(
        self,
        model: Explained,
        descriptions: Mapping[str, str] | None = None,
        tell: Callable[[int], Callable[[float], tuple[Any, str]]] | None = None,
        quoted: Callable[[str], str] = str,
        what: str = "the risk",
    ) -> None:
        self.features, self.descriptions = tuple(model.features), descriptions or {}
        texts = model.categories
        self._begin = [f"{self.descriptions.get(name) or name} is " for name in self.features]
        self._tell = [
            partial(_text_or_number, own, quoted, number) if own else number
            for own, number in (
                (texts.get(name), plain if tell is None else tell(place)) for place, name in enumerate(self.features)
            )
        ]
        self._raises, self._lowers = f", which raises {what}", f", which lowers {what}"

    def told(self, place: int, value: float) -> tuple[Any, str]:
        """The value of the feature at a place as a reason gives it, and in words."""
        return self._tell[place](value) if value == value else (None, "missing")

    def reasons(
        self,
        values: NDArray[np.float64] | Sequence[float],
        contributions: NDArray[np.float64] | Sequence[float],
        most: int = MOST,
        least_share: float = 0.02,
    ) -> tuple[ModelReason, ...]:
        """The reasons that weigh most, as `reasons` gives them."""
        features, begin = self.features, self._begin
        parts: list[float] = np.asarray(contributions, np.float64)[: len(features)].tolist()
        weights = list(map(abs, parts))
        least = least_share * sum(weights)
        found = []
        for k in sorted(range(len(parts)), key=weights.__getitem__, reverse=True)[:most]:
            part = parts[k]
            if part == 0.0 or weights[k] < least:
                break
            value, said = self.told(k, float(values[k]))
            effect = self._raises if part > 0.0 else self._lowers
            found.append(ModelReason(features[k], value, part, f"{begin[k]}{said}{effect}"))
        return tuple(found)


def reasons(
    model: Explained,
    values: NDArray[np.float64] | Sequence[float],
    contributions: NDArray[np.float64] | Sequence[float],
    *,
    descriptions: Mapping[str, str] | None = None,
    most: int = MOST,
    least_share: float = 0.02,
) -> tuple[ModelReason, ...]:
    """The reasons that weigh most, heaviest first, at most `most`.

    Args:
        values: the row's feature values (`Binding.values`).
        contributions: the row's contributions (`Binding.contributions`); the bias at the end is not a reason.
        descriptions: words for a feature, to stand in place of its name.
        least_share: a reason that makes up less than this share of all contributions is left out.
    """
    return Words(model, descriptions).reasons(values, contributions, most, least_share)


def plain(value: float) -> tuple[Any, str]:
    """A number without a unit, and in words."""
    return value, spoken(value)


def _text_or_number(
    texts: Sequence[str], quoted: Callable[[str], str], number: Callable[[float], tuple[Any, str]], code: float
) -> tuple[Any, str]:
    """A category's text, and in words; a code that has none is told as a number."""
    if 0 <= code < len(texts):
        return texts[int(code)], quoted(texts[int(code)])
    return number(code)


def spoken(value: float) -> str:
    """A plain number as people read it."""
    if -1e15 < value < 1e15 and value == (whole := int(value)):
        return f"{whole:,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.3g}"
