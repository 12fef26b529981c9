"""How rows are parted by time into those to fit on, to stop fitting by, and to judge on."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError

__all__ = ["USUAL_SHARE", "Split", "chosen_split"]

USUAL_SHARE = 0.15
"""Of the rows, to stop fitting by, and as many to judge on."""

_STEP = 0.05
_LEAST = 0.05
"""Of the rows, that a span to stop fitting by should keep behind its embargo if it is chosen for the user."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Split:
    """Three spans of time, each [from, until) in µs since 1970 UTC: to fit, to stop fitting, and to judge.

    Between them lies the embargo: rows whose labels were not yet known when the next span began are in none.
    """

    train: tuple[int, int]
    valid: tuple[int, int]
    test: tuple[int, int]

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """The three by name, in order."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    def parts(self, at: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Which rows, by their times, are in which span."""
        return {part: (at >= span[0]) & (at < span[1]) for part, span in self.spans.items()}

    @classmethod
    def by_share(cls, at: NDArray[np.int64], *, valid: float, test: float, embargo: timedelta) -> "Split":
        """The latest share `test` of the rows, and before them the share `valid`, stand apart.

        The embargo is taken from the end of the earlier span. Raises ModelError if nothing is left to train on.
        """
        if not (0.0 < valid < 1.0 and 0.0 < test < 1.0 and valid + test < 1.0):
            raise ModelError(
                "The shares to validate and test on leave nothing to train on.", seen=f"{valid} and {test}",
                do="Give two shares above 0 whose sum is below 1.",
            )  # fmt: skip
        times, gap = np.sort(at), embargo // _MICROSECOND
        first, end = int(times[0]), int(times[-1]) + 1
        valid_from = int(times[int(len(times) * (1.0 - valid - test))])
        test_from = int(times[int(len(times) * (1.0 - test))])
        return cls((first, valid_from - gap), (valid_from, test_from - gap), (test_from, end))


def chosen_split(
    at: NDArray[np.int64],
    labels: NDArray[np.bool_],
    *,
    valid: float | None,
    test: float,
    embargo: timedelta,
) -> tuple[Split, float]:
    """The split by shares, and the share that was taken to stop fitting by.

    Where nobody said one, and the embargo leaves of the usual share no rows or one label alone, it is the least share
    in steps of 0.05 that keeps a twentieth of the rows, else the least that keeps both labels.

    Raises:
        ModelError: a span lacks rows or a label; with the share to try, if there is one. A shorter embargo is not a way
            out: labels would be learnt that were not known yet.
    """
    asked = USUAL_SHARE if valid is None else valid
    split = Split.by_share(at, valid=asked, test=test, embargo=embargo)
    lacking = _lacking(split, at, labels)
    if not lacking:
        return split, asked
    fitting = _fitting(at, labels, test, embargo)
    if valid is None and fitting:
        return Split.by_share(at, valid=fitting, test=test, embargo=embargo), fitting
    mine = split.parts(at)[lacking]
    whole = {
        "train": split.valid[0] - int(at.min()), "valid": split.test[0] - split.valid[0],
        "test": split.test[1] - split.test[0],
    }[lacking]  # fmt: skip
    gap = f" less the embargo of {_long(embargo)}" if embargo and lacking != "test" else ""
    raise ModelError(
        f"The span to {lacking} on does not have both labels: it is {_long(whole * _MICROSECOND)} long{gap}.",
        seen=f"{int(labels[mine].sum())} positives in {int(mine.sum())} rows",
        do=f"Try --valid {fitting:g}." if fitting else "Give rows over a longer time, or with more of both labels.",
    )


def _lacking(split: Split, at: NDArray[np.int64], labels: NDArray[np.bool_]) -> str:
    """The first span without rows, or of those to fit by without both labels; empty if there is none."""
    for part, chosen in split.parts(at).items():
        if not chosen.any() or (part != "test" and len(np.unique(labels[chosen])) < 2):
            return part
    return ""


def _fitting(at: NDArray[np.int64], labels: NDArray[np.bool_], test: float, embargo: timedelta) -> float:
    """The share to stop fitting by under which every span has what it needs; 0 if there is none."""
    found = 0.0
    for step in range(1, 20):
        share = round(step * _STEP, 2)
        if share + test >= 1.0:
            break
        split = Split.by_share(at, valid=share, test=test, embargo=embargo)
        if _lacking(split, at, labels):
            continue
        found = found or share
        if split.parts(at)["valid"].sum() >= _LEAST * len(at):
            return share
    return found


def _long(span: timedelta) -> str:
    days = span / timedelta(days=1)
    if days >= 1:
        return f"{days:.1f} days" if days % 1 else f"{days:.0f} days"
    return f"{span / timedelta(hours=1):.1f} hours" if span >= timedelta(hours=1) else f"{span.total_seconds():g} s"
