"""Contributions to words: why a model answered as it did."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tidegate.kernels.compiled import compiled
from tidegate.models.reason import ModelReason

__all__ = ["Explained", "Words", "heaviest", "reasons", "spoken"]


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


@compiled("void(f8[::1], i8, f8, i8[::1])")
def heaviest(parts, count, least_share, places):  # type: ignore[no-untyped-def]
    """The places of the heaviest of the first parts, the heaviest first, of equal ones the earlier first; then -1.

    A part that is zero, or less than a share of all of them, has no place.
    """
    total = 0.0
    for k in range(count):
        total += abs(parts[k])
    least = least_share * total
    places[:] = -1
    last, before = math.inf, -1
    for j in range(len(places)):
        most, best = 0.0, -1
        for k in range(count):
            weight = abs(parts[k])
            if weight > most and (weight < last or (weight == last and k > before)):
                most, best = weight, k
        if best < 0 or most < least:
            break
        places[j] = best
        last, before = most, best


@compiled("void(f8[:,::1], i8, f8, i8[:,::1])")
def heaviest_of_rows(parts, count, least_share, places):  # type: ignore[no-untyped-def]
    """What `heaviest` says of each row."""
    for row in range(len(parts)):
        heaviest(parts[row], count, least_share, places[row])


class Words:
    """How the features of a model are told, which is worked out once, and not for each reason.

    Args:
        model: whose features they are.
        descriptions: words for a feature, to stand in place of its name.
        tell: gives, by the place of its feature, what tells a number: the value with its unit, and in words. Default:
            the plain number.
        quoted: gives the words for a text.
    """

    def __init__(
        self,
        model: Explained,
        descriptions: Mapping[str, str] | None = None,
        tell: Callable[[int], Callable[[float], tuple[Any, str]]] | None = None,
        quoted: Callable[[str], str] = str,
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

    def told(self, place: int, value: float) -> tuple[Any, str]:
        """The value of the feature at a place as a reason gives it, and in words."""
        return self._tell[place](value) if value == value else (None, "missing")

    def reasons(
        self,
        values: NDArray[np.float64],
        contributions: NDArray[np.float64],
        most: int = MOST,
        least_share: float = 0.02,
    ) -> tuple[ModelReason, ...]:
        """The reasons that weigh most, as `reasons` gives them."""
        return self.of_rows(values[None], contributions[None], most, least_share)[0]

    def of_rows(
        self,
        values: NDArray[np.float64],
        contributions: NDArray[np.float64],
        most: int = MOST,
        least_share: float = 0.02,
    ) -> list[tuple[ModelReason, ...]]:
        """The same of several rows, for which little more is to be done than for one."""
        places = np.empty((len(values), most), np.int64)
        heaviest_of_rows(contributions, min(len(self.features), contributions.shape[1]), least_share, places)
        rows = zip(values.tolist(), contributions.tolist(), places.tolist(), strict=True)
        return [tuple([self._reason(k, row[k], parts[k]) for k in chosen if k >= 0]) for row, parts, chosen in rows]

    def _reason(self, place: int, number: float, part: float) -> ModelReason:
        value, said = self.told(place, number)
        effect = "raises" if part > 0.0 else "lowers"
        return ModelReason(self.features[place], value, part, f"{self._begin[place]}{said}, which {effect} the risk")


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
    row, parts = (np.ascontiguousarray(given, np.float64) for given in (values, contributions))
    return Words(model, descriptions).reasons(row, parts, most, least_share)


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
